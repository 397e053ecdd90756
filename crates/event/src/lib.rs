//! The event model: what every stage of Watchkeeper talks about.
