//! Random runs with kills, compared with a model.

use std::collections::BTreeMap;

use super::Place;
use super::support::*;
use crate::load::{Chunk, Commit, LoadStatus, Operation, PassMark};
use crate::schema::Disposition;

const IDS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// A record: its id, a value, its child rows.
type Record = (&'static str, i64, Vec<i64>);

type Rows = BTreeMap<&'static str, (i64, Vec<i64>)>;

/// The loaded rows of a source: live rows, and those of a pass.
#[derive(Clone, Default)]
struct Model {
    live: Rows,
    staged: Rows,
}

impl Model {
    fn take(&mut self, chunk: &Chunk, records: &[Record]) {
        for operation in &chunk.operations {
            let append = matches!(operation, Operation::Append(_));
            let rows = match operation {
                Operation::Publish => {
                    self.live = std::mem::take(&mut self.staged);
                    continue;
                }
                Operation::Stage { first, .. } => {
                    if *first {
                        self.staged.clear();
                    }
                    &mut self.staged
                }
                _ => &mut self.live,
            };
            for (id, n, lines) in records {
                if !append || !rows.contains_key(id) {
                    rows.insert(id, (*n, lines.clone()));
                }
            }
        }
    }

    fn orders(&self) -> Vec<String> {
        let rows = self.live.iter().map(|(id, (n, _))| format!("{id}={n}"));
        rows.collect()
    }

    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .live
            .iter()
            .flat_map(|(id, (_, lines))| lines.iter().map(move |v| format!("{id}={v}")))
            .collect();
        lines.sort();
        lines
    }
}

/// A xorshift generator: the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn next_chunk(numbers: &mut Numbers, disposition: Disposition) -> (Chunk, Vec<Record>) {
    let mut records = Vec::new();
    for id in IDS {
        if numbers.below(3) == 0 {
            let lines: Vec<i64> = (0..numbers.below(3)).map(|line| line as i64).collect();
            // Some records come unchanged.
            records.push((id, numbers.below(3) as i64, lines));
        }
    }
    let borrowed: Vec<Rec<'_>> = records.iter().map(|r| (r.0, r.1, &r.2[..])).collect();
    let more = (numbers.below(2) == 0).then_some("more");
    let tables = tables(&borrowed, more);
    let chunk = match disposition {
        Disposition::Replace => pass_of(tables, numbers.below(5) == 0, numbers.below(5) == 0),
        Disposition::Merge if numbers.below(4) > 0 => hashed("1", &borrowed, PassMark::new("1")),
        _ => chunk_of(disposition, tables),
    };
    (chunk, records)
}

pub fn whatever_happens_the_last_commit_is_there<P: Place>() {
    for seed in 1..=9 {
        let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15 ^ (seed << 32));
        let disposition = match seed % 3 {
            0 => Disposition::Append,
            1 => Disposition::Merge,
            _ => Disposition::Replace,
        };
        let dir = tempfile::tempdir().unwrap();
        let mut committed = Model::default();
        let mut pending = Model::default();
        let mut destination = Some(opened::<P>(dir.path(), "1"));
        for step in 0..40 {
            let (chunk, records) = next_chunk(&mut numbers, disposition);
            match numbers.below(8) {
                0 => {
                    destination = None;
                    pending = committed.clone();
                }
                1 => {
                    destination = None;
                    pending = committed.clone();
                    P::kill(dir.path(), &chunk);
                }
                2..4 => {
                    let open = destination.get_or_insert_with(|| opened::<P>(dir.path(), "2"));
                    open.commit(&Commit::new(1, &[], &LoadStatus::Running))
                        .unwrap();
                    committed = pending.clone();
                    let what = format!("seed {seed}, step {step}");
                    assert_eq!(orders::<P>(dir.path()), committed.orders(), "{what}");
                    assert_eq!(lines::<P>(dir.path()), committed.lines(), "{what}");
                }
                _ => {
                    let open = destination.get_or_insert_with(|| opened::<P>(dir.path(), "3"));
                    open.write(chunk.clone()).unwrap();
                    pending.take(&chunk, &records);
                }
            }
        }
        drop(destination);
        drop(opened::<P>(dir.path(), "4"));
        assert_eq!(orders::<P>(dir.path()), committed.orders(), "seed {seed}");
    }
}
