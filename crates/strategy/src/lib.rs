//! Alerting and Detection Strategy documents: Markdown to a checked program.
