//! Requests of HTTP.

use super::Endpoints;
use crate::text::{Text, is_default};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// A request, with its answer where that was seen. All text is a claim of a peer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// The two ends.
    pub ends: Endpoints,
    /// The own end asked.
    pub initiated: bool,
    /// Joins it with the other events of the same flow.
    #[serde(skip_serializing_if = "is_default")]
    pub cookie: u64,
    /// Method.
    pub method: CompactString,
    /// Host that is asked, with its port where the request says one.
    #[serde(skip_serializing_if = "is_default")]
    pub host: Text,
    /// Path and query, or whatever else the request names.
    pub target: Text,
    /// User agent.
    #[serde(skip_serializing_if = "is_default")]
    pub agent: Text,
    /// Page that led here.
    #[serde(skip_serializing_if = "is_default")]
    pub referrer: Text,
    /// Status of the answer, 0 where none was seen.
    #[serde(skip_serializing_if = "is_default")]
    pub status: u16,
    /// Media type of the answer, where it was seen.
    #[serde(skip_serializing_if = "is_default")]
    pub media_type: CompactString,
}

impl Http {
    /// The target without its query, and without scheme and host where a proxy is asked.
    pub fn path(&self) -> &str {
        let target = self.target.as_str();
        let end = target.find(['?', '#']).unwrap_or(target.len());
        let target = target.get(..end).unwrap_or(target);
        match target.split_once("://") {
            Some((_, rest)) => rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/"),
            None => target,
        }
    }

    /// What stands behind the last dot of the path's last part; empty where there is none.
    pub fn extension(&self) -> &str {
        let last = self.path().rsplit('/').next().unwrap_or("");
        last.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// The query, without its question mark.
    pub fn query(&self) -> &str {
        self.target.as_str().split_once('?').map_or("", |(_, query)| query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_are_parts_of_any_form_of_target() {
        for (target, path, query, extension) in [
            ("/", "/", "", ""),
            ("/a.d/b.tar.gz?x=/c?d.e", "/a.d/b.tar.gz", "x=/c?d.e", "gz"),
            ("http://c2.test:81/gate?id=1", "/gate", "id=1", ""),
            ("http://c2.test", "/", "", ""),
            ("/r.php?to=http://a/b", "/r.php", "to=http://a/b", "php"),
        ] {
            let http = Http { target: Text::claimed(target), ..Http::default() };
            assert_eq!((http.path(), http.query(), http.extension()), (path, query, extension), "{target}");
        }
    }
}
