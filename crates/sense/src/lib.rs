//! Sensors: kernel, Docker and recordings to events.
