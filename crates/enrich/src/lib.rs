//! Adds process, container and name context to events.
