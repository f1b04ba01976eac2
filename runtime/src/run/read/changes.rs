//! The changes from feeds to records that the resource's own list has not brought.

use std::sync::atomic::Ordering::Relaxed;

use etlgen_model::counted;

use crate::error::Result;
use crate::run::read::intake::{Intake, PagePlace};
use crate::run::read::order::Sorting;
use crate::run::read::reader::ResourceReader;
use crate::run::read::rows::Origin;
use crate::run::read::window::Window;
use crate::schema::Deletes;
use crate::source::SliceRequest;

/// The number of records that are put at a time.
const AT_ONCE: usize = 200;

impl ResourceReader {
    /// Takes the changes from feeds to records that the list has not brought, after its last page.
    pub(super) async fn take_changes(&self, intake: &mut Intake) -> Result<()> {
        let Some(mut pending) = intake.pending.take() else {
            return Ok(());
        };
        let (puts, gone) = pending.split();
        for objects in puts.chunks(AT_ONCE) {
            self.put(intake, objects).await?;
        }
        let stats = &self.fetcher.stats;
        if !puts.is_empty() {
            stats.note(format!(
                "{} taken from a feed",
                counted(puts.len() as u64, "record")
            ));
        }
        if !gone.is_empty() {
            stats.note(match self.fetcher.spec().deletes {
                Deletes::Keep => {
                    format!(
                        "kept {} that a feed reports as deleted; `.deletes(…)` changes that",
                        counted(gone.len() as u64, "record")
                    )
                }
                _ => format!(
                    "a feed reports {} as deleted",
                    counted(gone.len() as u64, "record")
                ),
            });
            intake.output.gone(&gone);
        }
        for change in pending.ending() {
            intake.output.remember(change.clone());
        }
        Ok(())
    }

    /// Takes objects as a page of the resource's own list would bring them.
    async fn put(&self, intake: &mut Intake, objects: &[Box<str>]) -> Result<()> {
        let spec = self.fetcher.spec();
        let mut body = format!("[{}]", objects.join(","));
        for key in spec.records.iter().rev() {
            body = format!("{{{}:{body}}}", serde_json::Value::from(key.as_str()));
        }
        let slice = SliceRequest::default();
        let (page, _) = self.fetcher.whole(body.into_bytes(), &slice).await?;
        let place = PagePlace {
            origin: Origin {
                slice: "",
                columns: &Default::default(),
                list: self.lists.fetch_add(1, Relaxed),
                resumed: false,
            },
            request: &slice,
            rows_before: 0,
            window: &Window::default(),
            limit: u64::MAX,
            resting: None,
            edge: None,
        };
        intake.page(page, place, &mut Sorting::default())?;
        Ok(())
    }
}
