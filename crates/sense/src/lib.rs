//! Sensors: kernel, Docker and recordings to events.
//!
//! [`capture`] reads capture files. [`kernel`] loads programs into the kernel and decodes what they report. [`docker`] follows the Docker daemon.
//! [`kubernetes_audit`] reads the audit log of a Kubernetes API server. Judging what is seen is left to others: no
//! sensor knows a strategy.

pub mod capture;
pub mod docker;
pub mod kernel;
pub mod kubernetes_audit;
