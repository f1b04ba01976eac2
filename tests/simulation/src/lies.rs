//! The lies of lists: what an API says, or does, that is not so.

use etlgen_runtime::prelude::Deletes;

use crate::scenario::{ListSpec, Paging, Total};

/// A kind of lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lie {
    /// The total counts fewer rows than there are.
    TotalTooLow,
    /// The total is that of the page.
    TotalOfPage,
    /// The total is below zero.
    TotalNegative,
    /// The total is what is left.
    TotalFalling,
    /// The total is what has come so far.
    TotalRising,
    /// The total counts rows that are not there.
    TotalTooHigh,
    /// The number of pages is too low.
    PagesTooLow,
    /// More follows, and then comes a 204.
    EndsIn204,
    /// More follows, and then comes a 202.
    EndsIn202,
    /// More follows, and then comes an empty list that says nothing.
    EndsInEmptyList,
    /// More follows, and then comes `null`.
    EndsInNull,
    /// More follows, and then comes `{}`.
    EndsInEmptyObject,
    /// More follows, and then comes an empty list beside `errors`.
    EndsInErrors,
    /// More follows, and then comes `{"ok": false, "error": …}` as 200.
    EndsInRefusal,
    /// More follows, and then comes an object where the list should be.
    EndsInObject,
    /// The next token is an object.
    TokenObject,
    /// The next token is a list.
    TokenList,
    /// The next token is `true`.
    TokenTrue,
    /// The end is said by the token `0`, which is the first page.
    TokenZero,
    /// The last page leads to an empty page, and that to itself.
    TokenSame,
    /// Behind the end come empty pages with ever new tokens.
    TokenFresh,
    /// Behind the end the rows come again under ever new tokens.
    RowsAgain,
    /// Tokens or links lead in a circle of one to five pages.
    Circle,
    /// Behind the last page comes the first one.
    PagesWrap,
    /// Behind the last page it comes again.
    PagesClamp,
    /// Whatever is asked for, the first page comes.
    PageIgnored,
    /// Whatever is asked for, any rows come.
    PageShuffled,
    /// Behind some page comes 400, 404, 416 or 422, though there is more.
    DepthCap,
    /// Rows change places from request to request.
    Unordered,
    /// An offset is rounded down to a whole page.
    OffsetRounds,
    /// Behind the last id the list begins again.
    LastIdWraps,
    /// Pages count from 0, which the connector does not know.
    FirstPageZero,
    /// Keys are unique only below one parent, which the connector does not know.
    KeyAcrossParents,
    /// Two rows of a list have the same key.
    KeyTwice,
    /// A page begins with the row that the page before ended with.
    Inclusive,
    /// Every third answer is a 202, and the page comes when it is asked for again.
    NotYet,
    /// The lists below all records, or below one, are answered 404, though the records are there.
    PartsNotFound,
    /// A list without paging shows a round number of rows, and no word of more.
    SilentCap,
    /// A list without paging counts more than it shows.
    TotalUndeclared,
    /// A list without paging says that there is more.
    MoreUndeclared,
    /// A list without paging gives a token.
    TokenUndeclared,
    /// A list without paging has a `Link` to the next page.
    LinkUndeclared,
    /// The incremental filter is ignored.
    FilterIgnored,
    /// The connector's clock is ahead of the API's.
    ClockAhead,
    /// The connector's clock goes back between two runs.
    ClockBack,
}

/// What tells a lie from the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Betrayal {
    /// Some statement of some answer.
    AStatement,
    /// Nothing that the API says: the end must stay unproved.
    Nothing,
    /// Nothing is hidden: all rows come to who asks for them.
    NotNeeded,
}

impl Lie {
    /// All kinds.
    pub const ALL: [Lie; 45] = [
        Lie::TotalTooLow,
        Lie::TotalOfPage,
        Lie::TotalNegative,
        Lie::TotalFalling,
        Lie::TotalRising,
        Lie::TotalTooHigh,
        Lie::PagesTooLow,
        Lie::EndsIn204,
        Lie::EndsIn202,
        Lie::EndsInEmptyList,
        Lie::EndsInNull,
        Lie::EndsInEmptyObject,
        Lie::EndsInErrors,
        Lie::EndsInRefusal,
        Lie::EndsInObject,
        Lie::TokenObject,
        Lie::TokenList,
        Lie::TokenTrue,
        Lie::TokenZero,
        Lie::TokenSame,
        Lie::TokenFresh,
        Lie::RowsAgain,
        Lie::Circle,
        Lie::PagesWrap,
        Lie::PagesClamp,
        Lie::PageIgnored,
        Lie::PageShuffled,
        Lie::DepthCap,
        Lie::Unordered,
        Lie::OffsetRounds,
        Lie::LastIdWraps,
        Lie::FirstPageZero,
        Lie::KeyAcrossParents,
        Lie::KeyTwice,
        Lie::Inclusive,
        Lie::NotYet,
        Lie::PartsNotFound,
        Lie::SilentCap,
        Lie::TotalUndeclared,
        Lie::MoreUndeclared,
        Lie::TokenUndeclared,
        Lie::LinkUndeclared,
        Lie::FilterIgnored,
        Lie::ClockAhead,
        Lie::ClockBack,
    ];

    /// What tells it from the truth.
    pub fn betrayal(self) -> Betrayal {
        match self {
            Lie::SilentCap => Betrayal::Nothing,
            Lie::TokenZero
            | Lie::TokenSame
            | Lie::TokenFresh
            | Lie::RowsAgain
            | Lie::PagesWrap
            | Lie::PagesClamp
            | Lie::OffsetRounds
            | Lie::LastIdWraps
            | Lie::FilterIgnored
            | Lie::Inclusive
            | Lie::NotYet
            | Lie::ClockBack => Betrayal::NotNeeded,
            _ => Betrayal::AStatement,
        }
    }

    /// Whether every page behind some page is one of its kind: what it is told instead.
    pub fn is_ending(self) -> bool {
        matches!(
            self,
            Lie::EndsIn204
                | Lie::EndsIn202
                | Lie::EndsInEmptyList
                | Lie::EndsInNull
                | Lie::EndsInEmptyObject
                | Lie::EndsInErrors
                | Lie::EndsInRefusal
                | Lie::EndsInObject
                | Lie::DepthCap
        )
    }

    /// Whether it is about what is not declared of a list without paging.
    pub fn is_of_single(self) -> bool {
        matches!(
            self,
            Lie::SilentCap
                | Lie::TotalUndeclared
                | Lie::MoreUndeclared
                | Lie::TokenUndeclared
                | Lie::LinkUndeclared
        )
    }

    /// Whether it is about lists and what is below their records.
    pub fn is_of_parts(self) -> bool {
        matches!(self, Lie::KeyAcrossParents | Lie::PartsNotFound)
    }

    /// Whether a list below records can tell it just as well.
    pub fn is_of_any_list(self) -> bool {
        !self.is_of_parts()
            && !matches!(
                self,
                Lie::KeyTwice | Lie::FilterIgnored | Lie::ClockAhead | Lie::ClockBack
            )
    }

    /// Ways of paging in which it can be told.
    pub fn paging(self) -> &'static [Paging] {
        use Paging::{HeaderToken, LastId, Link, NextUrl, Number, Offset, Single, Token};
        match self {
            Lie::TotalTooLow | Lie::TotalNegative | Lie::TotalTooHigh => {
                &[Offset, Number, Token, LastId, NextUrl, Link]
            }
            Lie::TotalOfPage | Lie::TotalFalling | Lie::TotalRising => {
                &[Offset, Number, Token, NextUrl]
            }
            Lie::PagesTooLow | Lie::PagesWrap | Lie::PagesClamp | Lie::FirstPageZero => &[Number],
            Lie::EndsIn204
            | Lie::EndsIn202
            | Lie::EndsInEmptyList
            | Lie::EndsInNull
            | Lie::EndsInEmptyObject
            | Lie::EndsInErrors
            | Lie::EndsInRefusal
            | Lie::EndsInObject
            | Lie::DepthCap => &[Offset, Number, Token, LastId, NextUrl, Link],
            Lie::TokenObject | Lie::TokenList | Lie::TokenTrue => &[Token, NextUrl],
            Lie::TokenZero | Lie::TokenSame | Lie::TokenFresh | Lie::RowsAgain => &[Token],
            Lie::Circle => &[Token, NextUrl, Link, HeaderToken],
            Lie::PageIgnored | Lie::PageShuffled => &[Offset, Number, LastId, Token],
            Lie::Unordered => &[Offset, Number],
            Lie::OffsetRounds => &[Offset],
            Lie::LastIdWraps => &[LastId],
            Lie::Inclusive => &[LastId, Token, NextUrl, Link],
            Lie::NotYet => &[Offset, Number, LastId, Token, NextUrl, Link],
            Lie::KeyTwice => &[Offset, Number, Token, NextUrl, Single],
            Lie::KeyAcrossParents
            | Lie::PartsNotFound
            | Lie::FilterIgnored
            | Lie::ClockAhead
            | Lie::ClockBack => &[Token, LastId, NextUrl, Offset],
            Lie::SilentCap
            | Lie::TotalUndeclared
            | Lie::MoreUndeclared
            | Lie::TokenUndeclared
            | Lie::LinkUndeclared => &[Single],
        }
    }

    /// Makes of an honest list one in which the lie can be told, and is told by at least one true statement.
    pub fn shape(self, list: &mut ListSpec, twist: usize) {
        list.holes = false;
        list.lazy_end = false;
        list.windows = false;
        list.past_end = 200;
        match self {
            Lie::TotalTooLow
            | Lie::TotalOfPage
            | Lie::TotalNegative
            | Lie::TotalFalling
            | Lie::TotalRising
            | Lie::TotalTooHigh
            | Lie::TotalUndeclared => {
                list.total = Total::Items;
                list.total_declared = self != Lie::TotalUndeclared;
            }
            Lie::PagesTooLow => (list.total, list.total_declared) = (Total::Pages, true),
            Lie::EndsInEmptyList | Lie::EndsIn204 | Lie::EndsInEmptyObject | Lie::DepthCap => {
                // What speaks against it.
                match list.paging == Paging::LastId || twist.is_multiple_of(2) {
                    true => list.more = true,
                    false => list.total = Total::Items,
                }
            }
            Lie::FirstPageZero => list.total = Total::Items,
            Lie::PagesWrap | Lie::PagesClamp | Lie::LastIdWraps => {
                (list.total, list.more) = (Total::None, false);
            }
            Lie::MoreUndeclared => list.more = true,
            Lie::KeyTwice => list.since = false,
            Lie::Inclusive => list.numbered = false,
            Lie::FilterIgnored | Lie::ClockAhead => list.since = true,
            Lie::ClockBack => (list.since, list.deletes) = (false, Deletes::Hard),
            _ => {}
        }
        if matches!(
            self,
            Lie::KeyTwice | Lie::FilterIgnored | Lie::ClockAhead | Lie::ClockBack
        ) {
            list.keyed = true;
        }
        if self.is_of_single() {
            list.total_in_header &= self == Lie::TotalUndeclared;
            // A usual page size.
            list.cap = [10, 20, 25, 50][twist % 4];
        }
        // What says more stands beside the list.
        let beside = list.more || list.total != Total::None && !list.total_in_header;
        list.bare &= !beside && !self.is_ending() && !self.is_of_single();
        if list.since {
            list.deletes = Deletes::Keep;
        }
    }
}
