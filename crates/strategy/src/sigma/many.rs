//! Many texts at once, on all cores: reading is most of what loading a large set of rules takes.
//!
//! In: texts. Out: what [`read_str`] gives of each, in their order, however many cores there are.

use super::{Item, read_str};
use crate::diagnostic::Problem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Texts that a thread takes at a time: a few milliseconds of work, so that none waits long for the others at the end.
const TOGETHER: usize = 16;

/// Reads `texts`, each a file of plain Sigma, on as many threads as there are cores; on fewer where they are few or
/// threads are refused.
pub fn read_all(texts: &[&str]) -> Vec<(Vec<Item>, Vec<Problem>)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let first = next.fetch_add(TOGETHER, Ordering::Relaxed);
            let Some(part) = texts.get(first..).filter(|part| !part.is_empty()) else { return done };
            let read: Vec<_> = part.iter().take(TOGETHER).map(|text| read_str(text)).collect();
            done.push((first, read));
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let helpers = cores.min(texts.len().div_ceil(TOGETHER)).saturating_sub(1);
    let mut done = thread::scope(|scope| {
        // What a thread that cannot be made would have read, this one reads.
        let made = (0..helpers).filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok());
        let helpers: Vec<_> = made.collect();
        let mut done = work();
        for helper in helpers {
            match helper.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(first, _)| *first);
    done.into_iter().flat_map(|(_, read)| read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_texts_are_read_in_their_order() {
        let rule = |number: usize| {
            let detection = if number.is_multiple_of(7) { "bogus" } else { "detection" };
            format!(
                "title: T{number}\nlogsource: {{product: linux}}\n{detection}: {{s: {{f: {number}}}, condition: s}}\n"
            )
        };
        for count in [0, 1, 15, 16, 17, 500] {
            let texts: Vec<String> = (0..count).map(rule).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let each: Vec<_> = texts.iter().map(|text| read_str(text)).collect();
            assert_eq!(read_all(&texts), each, "{count}");
        }
    }
}
