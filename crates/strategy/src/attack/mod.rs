//! MITRE ATT&CK for Enterprise as a table: ids, names, tactics, platforms, what was revoked and why not.
//!
//! `data/attack.tsv` is written by `data/attack.py`, which names its sources; `NOTICE` holds MITRE's terms.
//! Left out on purpose: descriptions, groups, software, mitigations.

use std::sync::LazyLock;

/// The table.
const TABLE: &str = include_str!("../../data/attack.tsv");

/// A tactic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tactic {
    /// `TA` and four digits.
    pub id: &'static str,
    /// The name in machine form, `command-and-control`.
    pub short: &'static str,
    /// The name.
    pub name: &'static str,
}

/// A technique or sub-technique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Technique {
    /// `T1071` or `T1071.001`.
    pub id: &'static str,
    /// The name, without that of the parent.
    pub name: &'static str,
    /// Short names of its tactics; empty when it is not active.
    pub tactics: Vec<&'static str>,
    /// Names of its platforms; empty when it is not active or they are not known.
    pub platforms: Vec<&'static str>,
    /// Whether it may be used.
    pub status: Status,
}

/// Whether a technique may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// In use.
    Active,
    /// Replaced by the technique with this id.
    Revoked(&'static str),
    /// Withdrawn without a successor.
    Deprecated,
}

struct Matrix {
    version: &'static str,
    tactics: Vec<Tactic>,
    techniques: Vec<Technique>,
}

static MATRIX: LazyLock<Matrix> = LazyLock::new(|| read(TABLE));

/// The version of ATT&CK that the table holds.
pub fn version() -> &'static str {
    MATRIX.version
}

/// The technique with this id, in whatever state.
pub fn technique(id: &str) -> Option<&'static Technique> {
    let index = MATRIX.techniques.binary_search_by(|technique| technique.id.cmp(id)).ok()?;
    MATRIX.techniques.get(index)
}

/// The tactic with this id, short name or name.
pub fn tactic(name: &str) -> Option<&'static Tactic> {
    let is_it = |tactic: &&Tactic| {
        [tactic.id, tactic.short, tactic.name].iter().any(|known| known.eq_ignore_ascii_case(name))
    };
    MATRIX.tactics.iter().find(is_it)
}

/// All tactics, by id.
pub fn tactics() -> &'static [Tactic] {
    &MATRIX.tactics
}

/// All techniques, by id.
pub fn techniques() -> &'static [Technique] {
    &MATRIX.techniques
}

impl Technique {
    /// Whether only the preparation of an attack is meant, which happens where no sensor of ours is.
    pub fn is_preparation(&self) -> bool {
        self.platforms == ["PRE"]
    }

    /// The active technique that this one became, following revocations.
    pub fn successor(&'static self) -> Option<&'static Technique> {
        const LONGEST_CHAIN: usize = 8;
        let mut current = self;
        for _ in 0..LONGEST_CHAIN {
            match current.status {
                Status::Active => return Some(current),
                Status::Revoked(next) => current = technique(next)?,
                Status::Deprecated => return None,
            }
        }
        None
    }
}

/// Whether `text` has the form of a technique's id.
pub fn is_technique_id(text: &str) -> bool {
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(number) = text.strip_prefix('T') else { return false };
    match number.split_once('.') {
        None => digits(number, 4),
        Some((parent, child)) => digits(parent, 4) && digits(child, 3),
    }
}

fn read(table: &'static str) -> Matrix {
    let mut matrix = Matrix { version: "", tactics: Vec::new(), techniques: Vec::new() };
    for line in table.lines() {
        let columns: Vec<&'static str> = line.split('\t').collect();
        match columns.as_slice() {
            ["# attack_version", version] => matrix.version = version,
            [id, short, name] if id.starts_with("TA") => matrix.tactics.push(Tactic { id, short, name }),
            [id, name, tactics, platforms, status] if id.starts_with('T') => {
                let status = match status.split_once(':') {
                    Some((_, successor)) => Status::Revoked(successor),
                    None if *status == "active" => Status::Active,
                    None => Status::Deprecated,
                };
                let (tactics, platforms) = (list(tactics), list(platforms));
                matrix.techniques.push(Technique { id, name, tactics, platforms, status });
            }
            _ => {}
        }
    }
    matrix
}

fn list(column: &'static str) -> Vec<&'static str> {
    column.split(',').filter(|item| *item != "-").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_sorted() {
        assert_eq!(version(), "19");
        assert_eq!(tactics().len(), 15);
        assert!(techniques().is_sorted_by_key(|technique| technique.id));
        let rows = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(rows, tactics().len() + techniques().len());
        for known in techniques().iter().flat_map(|technique| &technique.tactics) {
            assert!(tactic(known).is_some(), "{known}");
        }
        let active = |technique: &&Technique| technique.status == Status::Active;
        assert!(techniques().iter().filter(active).all(|technique| !technique.tactics.is_empty()));
    }

    #[test]
    fn the_containers_matrix_of_version_19_has_48_entries() {
        let on = |technique: &&Technique| technique.platforms.contains(&"Containers");
        assert_eq!(techniques().iter().filter(on).count(), 48);
    }

    #[test]
    fn what_the_seeds_name_is_known_for_what_it_is() {
        assert!(technique("T1583.006").unwrap().is_preparation());
        assert!(technique("T1598.001").unwrap().is_preparation());
        let protocol = technique("T1071").unwrap();
        assert_eq!(protocol.tactics, ["command-and-control"]);
        assert!(!protocol.is_preparation());
        assert!(technique("T9999").is_none());
    }

    #[test]
    fn revoked_techniques_name_a_living_successor() {
        assert_eq!(technique("T1562.001").unwrap().successor().unwrap().id, "T1685");
        for revoked in techniques().iter().filter(|technique| matches!(technique.status, Status::Revoked(_)))
        {
            let successor = revoked.successor();
            let deprecated = matches!(revoked.status, Status::Revoked(next)
                if technique(next).is_none_or(|next| next.status == Status::Deprecated));
            assert!(successor.is_some() || deprecated, "{}", revoked.id);
        }
    }

    #[test]
    fn tactics_are_found_by_id_and_names() {
        for name in ["TA0011", "command-and-control", "Command and Control"] {
            assert_eq!(tactic(name).unwrap().id, "TA0011");
        }
        assert!(tactic("defense-evasion").is_none());
    }

    #[test]
    fn ids_have_one_form() {
        assert!(is_technique_id("T1071") && is_technique_id("T1071.001"));
        assert!(!is_technique_id("T107") && !is_technique_id("T1071.1") && !is_technique_id("S1071"));
    }
}
