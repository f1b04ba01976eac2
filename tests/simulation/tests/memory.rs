//! The memory of a run does not grow with its rows, except for what tells different rows apart.

// The trait of an allocator is unsafe.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use etlgen_simulation::{Fault, ListSpec, Paging, Place, Scenario, play_watched};

/// Counts the bytes that are allocated.
struct Counted;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
/// The bytes before the run.
static BEFORE: AtomicUsize = AtomicUsize::new(0);
/// The most bytes of a run.
static OF_RUN: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the allocator of the system.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(now, Relaxed);
        // SAFETY: the caller upholds the contract of the trait.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller upholds the contract of the trait.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;

fn watch(begins: bool) {
    let now = NOW.load(Relaxed);
    match begins {
        true => {
            BEFORE.store(now, Relaxed);
            MOST.store(now, Relaxed);
        }
        false => OF_RUN.store(
            MOST.load(Relaxed).saturating_sub(BEFORE.load(Relaxed)),
            Relaxed,
        ),
    }
}

/// Returns the most bytes that a run has held that loads so many rows.
fn bytes(paging: Paging, rows: usize, fault: Option<Fault>) -> usize {
    let scenario = Scenario {
        items: ListSpec {
            paging,
            asks: Some(100),
            cap: 100,
            ..ListSpec::default()
        },
        rows,
        commit_rows: 1000,
        place: Place::Sqlite,
        ..Scenario::default()
    };
    let verdict = play_watched(&scenario, fault, false, watch);
    assert_eq!(verdict.wrong, None);
    OF_RUN.load(Relaxed)
}

/// Returns by how many bytes each row has enlarged the memory of a run.
fn bytes_of_a_row(paging: Paging, fault: Option<Fault>) -> usize {
    const FEW: usize = 3_000;
    const MANY: usize = 12_000;
    let few = bytes(paging, FEW, fault);
    let many = bytes(paging, MANY, fault);
    println!("{paging:?} {fault:?}: {few} bytes for {FEW} rows, {many} for {MANY}");
    many.saturating_sub(few) / (MANY - FEW)
}

/// A row is known by 8 bytes, and by 4 of its contents, in a table that is at least three eighths
/// full and is copied when it grows.
const MOST_OF_A_ROW: usize = 40;

#[test]
fn the_memory_of_a_run_does_not_grow_with_its_rows() {
    for paging in [Paging::Token, Paging::Offset] {
        let bytes = bytes_of_a_row(paging, None);
        assert!(
            bytes <= MOST_OF_A_ROW,
            "{paging:?}: {bytes} bytes for each row"
        );
    }
    // A runtime that keeps its responses is found.
    let hoards = bytes_of_a_row(Paging::Token, Some(Fault::Hoards));
    assert!(hoards > MOST_OF_A_ROW, "{hoards} bytes for each row");
}
