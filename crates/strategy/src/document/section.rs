//! The ten sections of an ADS (Palantir's framework), their order and their names.

/// A section of an ADS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SectionKind {
    /// What is found, in one paragraph.
    Goal,
    /// Where it stands in ATT&CK.
    Categorization,
    /// How it is found.
    StrategyAbstract,
    /// What a responder must know.
    TechnicalContext,
    /// When it does not fire.
    BlindSpots,
    /// What else raises it.
    FalsePositives,
    /// How bad it is, and why.
    Priority,
    /// How it is proven.
    Validation,
    /// What to do.
    Response,
    /// Where to read more.
    AdditionalResources,
}

use SectionKind as S;

/// Headings, without case, and their sections; the first of a section is its own.
const HEADINGS: &[(&str, SectionKind)] = &[
    ("Goal", S::Goal),
    ("Categorization", S::Categorization),
    ("Categorisation", S::Categorization),
    ("Strategy Abstract", S::StrategyAbstract),
    ("Technical Context", S::TechnicalContext),
    ("Blind Spots and Assumptions", S::BlindSpots),
    ("Blind Spots & Assumptions", S::BlindSpots),
    ("Blind Spots", S::BlindSpots),
    ("False Positives", S::FalsePositives),
    ("Priority", S::Priority),
    ("Alert Priority", S::Priority),
    ("Validation", S::Validation),
    ("Response", S::Response),
    ("Additional Resources", S::AdditionalResources),
];

impl SectionKind {
    /// All sections in Palantir's order, Priority before Validation.
    pub const ALL: [Self; 10] = [
        S::Goal,
        S::Categorization,
        S::StrategyAbstract,
        S::TechnicalContext,
        S::BlindSpots,
        S::FalsePositives,
        S::Priority,
        S::Validation,
        S::Response,
        S::AdditionalResources,
    ];

    /// The heading.
    pub fn heading(self) -> &'static str {
        HEADINGS.iter().find(|(_, kind)| *kind == self).map_or("", |(heading, _)| heading)
    }

    /// The section that a heading begins. A number before it and a remark in parentheses after it do not
    /// count: `Validation (Adversary Emulation)`.
    pub fn by_heading(text: &str) -> Option<Self> {
        let text = text.split('(').next().unwrap_or(text);
        let text = text.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
        let text = text.trim().trim_end_matches(':');
        HEADINGS.iter().find(|(heading, _)| heading.eq_ignore_ascii_case(text)).map(|(_, kind)| *kind)
    }

    /// Place in the order. Priority and Validation share one: Palantir's template and examples differ.
    pub fn rank(self) -> u8 {
        match self {
            S::Goal => 0,
            S::Categorization => 1,
            S::StrategyAbstract => 2,
            S::TechnicalContext => 3,
            S::BlindSpots => 4,
            S::FalsePositives => 5,
            S::Priority | S::Validation => 6,
            S::Response => 7,
            S::AdditionalResources => 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_read_as_people_write_them() {
        for kind in SectionKind::ALL {
            assert_eq!(SectionKind::by_heading(kind.heading()), Some(kind));
        }
        assert_eq!(SectionKind::by_heading("Validation (Adversary Emulation)"), Some(S::Validation));
        assert_eq!(SectionKind::by_heading("5. blind spots and assumptions:"), Some(S::BlindSpots));
        assert_eq!(SectionKind::by_heading("Data Sources Used"), None);
    }
}
