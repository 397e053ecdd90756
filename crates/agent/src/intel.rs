//! Lists of what is known to be bad, from the files that the configuration names.
//!
//! In: the files, opened by whoever may open them. Out: the set that the engine asks, and a sentence for each list: how many
//! indicators it has, how many lines were not understood, and the first of these. A file that begins with `{`, or with `[`
//! and then `{`, is JSON and read as a whole; anything else is read line by line. Nothing is fetched.

use crate::config::Config;
use crate::failure::{Failure, say};
use detect::intel::{Builder, LONGEST_LINE_BYTES, Report, Set};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

/// Largest file of JSON, which takes about ten times that while it is read. Lists of lines have no limit but that of indicators.
const JSON_BYTES: u64 = 32 << 20;

/// Opens the lists of the configuration, each with its name: the file's last component.
///
/// # Errors
/// A file that cannot be opened.
pub fn open(config: &Config) -> Result<Vec<(String, File)>, Failure> {
    let open = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let file = File::open(path).map_err(|error| {
            Failure::usage(
                format!("cannot read intel list {}: {error}", path.display()),
                "name readable files under [intel] lists, or take this one out",
            )
        });
        Ok((name, file?))
    };
    config.intel.lists.iter().map(open).collect()
}

/// The lists of the configuration, with what is to be said of them on standard error.
///
/// # Errors
/// A file that cannot be opened.
pub fn load(config: &Config) -> Result<Arc<Set>, Failure> {
    let (set, sentences) = read(open(config)?);
    sentences.iter().for_each(|sentence| say(sentence));
    Ok(Arc::new(set))
}

/// Reads open lists; what cannot be read of one is said of it, and the others are read.
pub fn read(lists: Vec<(String, impl Read)>) -> (Set, Vec<String>) {
    let mut builder = Builder::new();
    let mut failed = Vec::new();
    for (name, file) in lists {
        if !builder.begin(&name) {
            failed.push(format!("intel list {name}: there are too many lists"));
            continue;
        }
        if let Err(error) = one(BufReader::new(file), &mut builder) {
            failed.push(format!("intel list {name}: cannot be read to its end: {error}"));
        }
    }
    let (set, reports) = builder.finish();
    let said = reports.iter().map(|report: &Report| format!("intel list {report}"));
    (set, said.chain(failed).collect())
}

fn one(mut file: impl BufRead, into: &mut Builder) -> io::Result<()> {
    let begin = file.fill_buf()?.trim_ascii_start();
    let is_json = match begin {
        [b'{', ..] => true,
        [b'[', rest @ ..] => matches!(rest.trim_ascii_start(), [b'{' | b']', ..]),
        _ => false,
    };
    if !is_json {
        return lines(file, into);
    }
    let mut bytes = Vec::new();
    file.take(JSON_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > JSON_BYTES) {
        let what = format!("JSON of more than {} MiB; give it as lines", JSON_BYTES >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    into.json(&bytes);
    Ok(())
}

/// Each line, of a longer one only its begin, which is refused.
fn lines(mut file: impl BufRead, into: &mut Builder) -> io::Result<()> {
    let limit = u64::try_from(LONGEST_LINE_BYTES).unwrap_or(u64::MAX) + 2;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if file.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.pop_if(|last| *last == b'\n').is_none() && line.len() > LONGEST_LINE_BYTES {
            file.skip_until(b'\n')?;
        }
        into.line(number, &String::from_utf8_lossy(&line));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_lines_and_of_json_are_told_apart_and_what_was_not_understood_is_said() {
        let lines = format!("evil.example\r\n{}\nnothing here\n198.51.100.7", "x".repeat(20_000));
        let bundle = r#"{"type":"bundle","objects":[{"type":"indicator","pattern":"[domain-name:value = 'b.example']"}]}"#;
        let lists = vec![("a.txt".to_owned(), lines.as_bytes()), ("b.json".to_owned(), bundle.as_bytes())];
        let (set, said) = read(lists);
        assert_eq!(set.name("w.evil.example").map(|found| found.list), Some("a.txt"));
        assert_eq!(set.name("b.example").map(|found| found.list), Some("b.json"));
        assert!(set.address([198, 51, 100, 7].into(), 1).is_some());
        assert_eq!(
            said,
            [
                "intel list a.txt: 2 indicators, 2 not understood; 2: longer than 8192 bytes; 3: no address, network, name, \
                 URL, SHA-256 or image",
                "intel list b.json: 1 indicators",
            ]
        );
    }

    #[test]
    fn a_list_that_is_not_there_is_an_error_with_its_name() {
        let mut config = Config::default();
        config.intel.lists = vec!["/nonexistent/bad.txt".into()];
        let failure = load(&config).unwrap_err();
        assert!(failure.message.contains("/nonexistent/bad.txt"), "{failure}");
    }
}
