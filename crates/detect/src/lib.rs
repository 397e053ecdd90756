//! Analytics, rules and correlations over events.
