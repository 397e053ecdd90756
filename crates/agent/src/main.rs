//! The command `watchkeeper`.
fn main() {}
