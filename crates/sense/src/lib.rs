//! Sensors: kernel, Docker and recordings to events.
//!
//! [`capture`] reads capture files. [`kernel`] loads programs into the kernel and decodes what they report. [`docker`] follows the Docker daemon.
//! [`kubernetes_audit`] reads the audit log of a Kubernetes API server. [`traffic`] turns captures into the events that the
//! kernel gives of the same connections, and [`zeek`] the logs of Zeek. Judging what is seen is left to others: no
//! sensor knows a strategy.

pub mod capture;
mod dns;
pub mod docker;
mod ends;
pub mod follow;
mod http;
pub mod kernel;
pub mod kubernetes_audit;
pub mod logs;
pub mod traffic;
pub mod zeek;
