//! What of the signals is there on this host, as far as can be said without an agent that runs.
//!
//! In: a signal. Out: whether the sensor that gives it could run here, and why not. Programs of the kernel sensor are
//! not loaded: `watchkeeper doctor` tries that.

use crate::doctor;
use event::event::UNSENSED;

/// Whether a signal is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// Its sensor can run.
    There(String),
    /// Its sensor runs, and sees less.
    Partly(String),
    /// Nothing gives it here.
    Missing(String),
}

impl Presence {
    /// The word for people and machines.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::There(_) => "there",
            Self::Partly(_) => "partly",
            Self::Missing(_) => "missing",
        }
    }

    /// Why, or by what.
    pub fn detail(&self) -> &str {
        match self {
            Self::There(detail) | Self::Partly(detail) | Self::Missing(detail) => detail,
        }
    }
}

/// What this host offers.
pub struct Offer {
    kernel: Result<(), String>,
    sockets: Result<(), String>,
    docker: Result<(), String>,
}

impl Offer {
    /// Looks at the host.
    pub fn examine() -> Self {
        Self {
            kernel: doctor::kernel_sensor(),
            sockets: doctor::socket_owners(),
            docker: doctor::docker_daemon(),
        }
    }

    /// Whether `signal` is there.
    pub fn presence(&self, signal: &str) -> Presence {
        let by = |outcome: &Result<(), String>, sensor: &str| match outcome {
            Ok(()) => Presence::There(sensor.to_owned()),
            Err(why) => Presence::Missing(format!("{sensor}: {why}")),
        };
        match signal {
            signal if UNSENSED.contains(&signal) => {
                Presence::Missing("no sensor of this version gives it".to_owned())
            }
            "health" => Presence::There("always".to_owned()),
            "docker" => by(&self.docker, "Docker"),
            "kubernetes_audit" => {
                Presence::Partly("in replays of audit logs; there is no live sensor yet".to_owned())
            }
            "log" => Presence::There("logs of this host, as [logs] of the configuration says".to_owned()),
            "network" | "payload" | "dns" | "flow" | "http" => match (&self.kernel, &self.sockets) {
                (Ok(()), Err(why)) => Presence::Partly(format!("kernel sensor: {why}")),
                (kernel, _) => by(kernel, "kernel sensor"),
            },
            _ => by(&self.kernel, "kernel sensor"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_says_by_what_it_is_given_or_why_it_is_not() {
        let offer =
            Offer { kernel: Ok(()), sockets: Err("no cgroup2".into()), docker: Err("refused".into()) };
        let words: Vec<&str> = event::event::SIGNALS
            .iter()
            .map(|(signal, _)| {
                let presence = offer.presence(signal);
                assert!(!presence.detail().is_empty());
                presence.as_str()
            })
            .collect();
        assert_eq!(words.iter().filter(|word| **word == "missing").count(), UNSENSED.len() + 1);
        assert_eq!(offer.presence("dns"), Presence::Partly("kernel sensor: no cgroup2".into()));
        let blind = Offer { kernel: Err("not root".into()), ..offer };
        assert_eq!(blind.presence("dns"), Presence::Missing("kernel sensor: not root".into()));
    }
}
