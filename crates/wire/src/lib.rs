//! Bytes to protocol messages, without I/O.
