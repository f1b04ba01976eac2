//! Generates the scenario of a seed.

use etlgen_runtime::prelude::Deletes;

use crate::lies::Lie;
use crate::random::Rng;
use crate::scenario::{At, Change, ListSpec, Paging, Place, RunSpec, Scenario, Total};

/// Generates the scenario of a seed; the API lies in every second one.
pub fn scenario(seed: u64) -> Scenario {
    let mut rng = Rng::new(seed);
    let lie = rng.chance(50).then(|| rng.pick(&Lie::ALL));
    with(seed, lie)
}

/// Generates the scenario of a seed in which the API tells that lie, or none.
pub fn with(seed: u64, lie: Option<Lie>) -> Scenario {
    let mut rng = Rng::new(seed ^ 0x00c0_ffee);
    let twist = rng.below(1 << 16);
    let below = match lie {
        Some(lie) => lie.is_of_parts() || lie.is_of_any_list() && rng.chance(20),
        None => rng.chance(30),
    };
    let lies_below = below && lie.is_some_and(Lie::is_of_any_list);
    let mut items = list(&mut rng, lie.filter(|_| !lies_below));
    let mut parts = below.then(|| parts(&mut rng, lie, lies_below));
    if let Some(lie) = lie {
        match &mut parts {
            Some(parts) if lies_below => lie.shape(parts, twist),
            _ => lie.shape(&mut items, twist),
        }
    }
    items.embedded = lie.is_none_or(|_| !lies_below) && rng.chance(10);
    let feed = match lie.is_none() && !below {
        true => feed(seed, &mut items),
        false => None,
    };
    // The rows of a child list name their item by its key.
    items.keyed |= below;
    let rows = match lies_below {
        true => rng.within(1, 4),
        false => rows(&mut rng, &items, lie, below),
    };
    let lies_from = usize::from(lie.is_some_and(|lie| !lie.is_of_single()) && rng.chance(20));
    let mut scenario = Scenario {
        seed,
        rows,
        most_parts: match &parts {
            Some(parts) if lies_below => parts.size().min(50) * rng.within(3, 5),
            Some(_) => rng.within(1, 12),
            None => 0,
        },
        lie,
        lies_below,
        lies_from,
        twist,
        behind: behind(&mut rng, lie),
        concurrency: rng.pick(&[1, 1, 2, 4, 8]),
        commit_rows: rng.pick(&[1, 3, 10, 30, 1000]),
        place: rng.weighted(&[
            (81, Place::Model),
            (5, Place::Forgetful),
            (8, Place::Sqlite),
            (6, Place::Parquet),
        ]),
        runs: Vec::new(),
        items,
        parts,
        feed,
    };
    runs(&mut rng, &mut scenario);
    scenario
}

fn list(rng: &mut Rng, lie: Option<Lie>) -> ListSpec {
    let paging = match lie {
        Some(lie) => rng.pick(lie.paging()),
        None => rng.weighted(&[
            (24, Paging::Token),
            (4, Paging::HeaderToken),
            (16, Paging::LastId),
            (20, Paging::Offset),
            (10, Paging::Number),
            (12, Paging::NextUrl),
            (11, Paging::Link),
            (3, Paging::Single),
        ]),
    };
    let mut spec = ListSpec {
        paging,
        ..of_paging(rng, paging)
    };
    spec.bare = spec.total_in_header && !spec.more && paging != Paging::Token && rng.chance(60);
    if matches!(paging, Paging::NextUrl | Paging::Token) {
        spec.bare = false;
    }
    spec.names = rng.below(60);
    spec.newest_first = rng.chance(25);
    spec.keyed = rng.chance(85);
    spec.since = spec.keyed && paging != Paging::Single && rng.chance(25);
    spec.windows = spec.since && rng.chance(15);
    spec.by_cursor = spec.since && !spec.windows && paging != Paging::LastId && rng.chance(40);
    spec.no_filter = spec.by_cursor && spec.newest_first && rng.chance(50);
    spec.append = spec.keyed && rng.chance(8);
    if spec.since && rng.chance(10) {
        (spec.keyed, spec.append) = (false, true);
    }
    spec.first_page = usize::from(rng.chance(70));
    let by_param = matches!(
        paging,
        Paging::Offset | Paging::Number | Paging::Token | Paging::LastId
    );
    spec.post = by_param && rng.chance(12);
    if spec.keyed && !spec.since && !spec.append {
        spec.deletes = rng.weighted(&[
            (70, Deletes::Keep),
            (15, Deletes::Hard),
            (15, Deletes::Soft),
        ]);
    }
    spec
}

/// Generates the settings that depend on the way of paging.
fn of_paging(rng: &mut Rng, paging: Paging) -> ListSpec {
    let asks = match rng.chance(85) {
        true if rng.chance(8) => Some(rng.within(1, 2)),
        true => Some(rng.within(3, 12)),
        false => None,
    };
    let cap = match asks {
        Some(asks) if asks > 1 && rng.chance(25) => asks / 2 + 1,
        Some(asks) => asks,
        None => rng.pick(&[4, 5, 7, 10]),
    };
    let by_number = matches!(paging, Paging::Offset | Paging::Number);
    let total = match (paging, rng.chance(if by_number { 70 } else { 30 })) {
        (Paging::Single, _) | (_, false) => Total::None,
        (Paging::Number, true) if rng.chance(25) => Total::Pages,
        _ => Total::Items,
    };
    let tokens = matches!(paging, Paging::Token | Paging::NextUrl | Paging::Link);
    ListSpec {
        asks: asks.filter(|_| paging != Paging::Single),
        cap: if paging == Paging::Single { 1000 } else { cap },
        total,
        total_in_header: rng.chance(25),
        total_declared: rng.chance(85),
        more: paging != Paging::Single
            && rng.chance(if paging == Paging::LastId { 80 } else { 20 }),
        numbered: matches!(paging, Paging::NextUrl | Paging::Link) && rng.chance(30),
        lazy_end: tokens && rng.chance(20),
        holes: paging == Paging::Token && rng.chance(15),
        past_end: rng.weighted(&[(85, 200), (5, 204), (10, 404)]),
        ..ListSpec::default()
    }
}

fn parts(rng: &mut Rng, lie: Option<Lie>, lies: bool) -> ListSpec {
    let mut parts = list(rng, lie.filter(|_| lies));
    (parts.since, parts.windows) = (false, false);
    (parts.by_cursor, parts.no_filter) = (false, false);
    parts.append &= parts.keyed;
    parts.within_parent = parts.keyed && rng.chance(40);
    if lie == Some(Lie::KeyAcrossParents) {
        (parts.keyed, parts.within_parent, parts.append) = (true, false, false);
    }
    parts
}

/// Generates the feed of a list that is then read by the time of creation. Its own numbers keep those
/// of other scenarios as they are.
fn feed(seed: u64, items: &mut ListSpec) -> Option<ListSpec> {
    let mut rng = Rng::new(seed ^ 0xfeed);
    let is_plain = items.keyed && !items.since && !items.append && !items.embedded;
    if !is_plain || items.paging == Paging::Single || !rng.chance(40) {
        return None;
    }
    (items.since, items.fed) = (true, true);
    items.deletes = rng.pick(&[Deletes::Keep, Deletes::Hard, Deletes::Soft]);
    let paging = rng.pick(&[
        Paging::Token,
        Paging::LastId,
        Paging::Offset,
        Paging::Number,
        Paging::NextUrl,
        Paging::Link,
    ]);
    let mut feed = ListSpec {
        names: rng.below(60),
        newest_first: rng.chance(50),
        first_page: usize::from(rng.chance(70)),
        append: true,
        since: true,
        paging,
        ..of_paging(&mut rng, paging)
    };
    feed.bare = feed.total_in_header
        && !feed.more
        && !matches!(paging, Paging::NextUrl | Paging::Token)
        && rng.chance(60);
    Some(feed)
}

fn rows(rng: &mut Rng, items: &ListSpec, lie: Option<Lie>, below: bool) -> usize {
    let size = items.size();
    match lie {
        Some(lie) if lie.is_of_single() => items.cap + rng.within(1, 20),
        Some(lie) if lie.is_of_parts() => rng.within(2, 6),
        Some(_) if items.paging == Paging::Single => rng.within(5, 60),
        Some(_) => size * rng.within(2, 7) + rng.within(1, size),
        None if below => rng.within(0, 8),
        None if rng.chance(10) => rng.below(3),
        None if rng.chance(20) => size * rng.within(1, 5),
        // Pages of one row need many requests.
        None if size < 3 => rng.within(3, 20),
        None => rng.within(3, 60),
    }
}

fn behind(rng: &mut Rng, lie: Option<Lie>) -> i64 {
    match lie {
        Some(Lie::ClockAhead) => -(rng.within(30, 90_000) as i64),
        Some(Lie::ClockBack) => 0,
        _ if rng.chance(30) => rng.within(1, 90_000) as i64,
        _ => 0,
    }
}

/// Generates the runs: data changes during some of them, some die, and the last one ends.
fn runs(rng: &mut Rng, scenario: &mut Scenario) {
    let pages = scenario.rows.div_ceil(scenario.items.size()) + 2;
    let steps = 2 * pages
        + if scenario.parts.is_some() {
            2 * scenario.rows
        } else {
            0
        };
    let faults = rng.pick(&[0, 0, 4, 12]);
    let count = rng
        .weighted(&[(40, 1), (35, 2), (25, 3)])
        .max(1 + scenario.lies_from);
    let count = match scenario.lie {
        Some(Lie::ClockAhead | Lie::ClockBack) => count.max(2),
        _ => count,
    };
    for number in 0..count {
        let last = number + 1 == count;
        let moves = rng.chance(if last { 30 } else { 50 });
        let during = if moves { rng.within(1, 6) } else { 0 };
        let between = if number > 0 { rng.below(5) } else { 0 };
        let mut run = RunSpec {
            before: (0..between).map(|_| change(rng, scenario)).collect(),
            during: (0..during)
                .map(|_| (1 + rng.below(steps) as u64, change(rng, scenario)))
                .collect(),
            faults,
            ..RunSpec::default()
        };
        if !last && rng.chance(45) {
            run.dies_at = Some(1 + rng.below(2 * steps) as u64);
        } else if !last && rng.chance(10) {
            run.commit_fails = Some(1 + rng.below(4) as u64);
        } else if !last && rng.chance(15) {
            run.stops_after = Some(rng.below(pages) as u64);
        }
        if scenario.lie == Some(Lie::ClockAhead) && number == 0 {
            let edit = |_| {
                (
                    1 + rng.below(pages) as u64,
                    Change::Edit(At::item(rng.below(1000))),
                )
            };
            run.during.extend((0..10).map(edit).collect::<Vec<_>>());
        }
        if scenario.lie == Some(Lie::ClockBack) && number > 0 {
            run.clock_back = rng.within(60, 90_000) as i64;
            run.before.push(Change::Go(At::item(rng.below(1000))));
        }
        scenario.runs.push(run);
    }
}

fn change(rng: &mut Rng, scenario: &Scenario) -> Change {
    let below = scenario.parts.is_some() && rng.chance(60);
    let at = match below {
        true => At::part(rng.below(1000), rng.below(100_000)),
        false => At::item(rng.below(100_000)),
    };
    let spec = match (&scenario.parts, below) {
        (Some(parts), true) => parts,
        _ => &scenario.items,
    };
    match rng.below(100) {
        0..35 => Change::Come(at),
        35..58 => Change::Go(at),
        // Ids that grow are not given again.
        58..64 if spec.paging != Paging::LastId => Change::Back(at),
        58..85 => Change::Edit(at),
        // Rows that are sorted by id do not move.
        _ if spec.paging == Paging::LastId => Change::Edit(at),
        _ => Change::Move(at),
    }
}
