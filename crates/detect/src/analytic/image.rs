//! Standing fact: the container's image was never seen on this host before.
//!
//! In: an event with its container. Out: `unknown_image`, where enrichment says that the image was neither on the host
//! at the start nor run since. Where that is not known yet, there is no fact.

use super::Standing;
use event::{Event, Fact, FactName};

#[derive(Debug)]
pub(super) struct Image;

impl Standing for Image {
    fn facts(&self) -> &'static [FactName] {
        &[FactName::UnknownImage]
    }

    fn describe(&self, event: &mut Event) {
        if super::record(event).is_some_and(|record| record.image_known == Some(false)) {
            event.facts.add(Fact::flag(FactName::UnknownImage));
        }
    }
}
