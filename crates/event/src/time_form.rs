//! Lengths of time in configuration files: seconds as a number.

/// For `#[serde(with = …)]`: a `Duration` as seconds, with a fraction.
pub mod seconds {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::time::Duration;

    /// Writes seconds.
    ///
    /// # Errors
    /// What the serializer says.
    pub fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        time.as_secs_f64().serialize(serializer)
    }

    /// Reads seconds.
    ///
    /// # Errors
    /// A number that is negative, not finite or too large for a length of time.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        Duration::try_from_secs_f64(seconds)
            .map_err(|error| serde::de::Error::custom(format!("{seconds} is no length of time: {error}")))
    }
}
