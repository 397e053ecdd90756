//! Outputs of alerts.
