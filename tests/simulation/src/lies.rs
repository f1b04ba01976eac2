//! The lies of lists: false statements and false behaviour of an API.

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
    /// The total is the number of remaining rows.
    TotalFalling,
    /// The total is the number of rows sent so far.
    TotalRising,
    /// The total counts rows that do not exist.
    TotalTooHigh,
    /// The number of pages is too low.
    PagesTooLow,
    /// More is said to follow, and the next response is a 204.
    EndsIn204,
    /// More is said to follow, and the next response is a 202.
    EndsIn202,
    /// More is said to follow, and the next response is an empty list without statements.
    EndsInEmptyList,
    /// More is said to follow, and the next response has `null` as the list.
    EndsInNull,
    /// More is said to follow, and the next response is `{}`.
    EndsInEmptyObject,
    /// More is said to follow, and the next response is an empty list next to `errors`.
    EndsInErrors,
    /// More is said to follow, and the next response is a 200 with `{"ok": false, "error": …}`.
    EndsInRefusal,
    /// More is said to follow, and the next response has an object as the list.
    EndsInObject,
    /// The next token is an object.
    TokenObject,
    /// The next token is a list.
    TokenList,
    /// The next token is `true`.
    TokenTrue,
    /// The last page has the token `0`, which requests the first page.
    TokenZero,
    /// The token of the last page requests an empty page, whose token requests itself.
    TokenSame,
    /// After the end there are empty pages, each with a new token.
    TokenFresh,
    /// After the end the rows are sent again, each page with a new token.
    RowsAgain,
    /// Tokens or links form a circle of one to five pages.
    Circle,
    /// The page after the last one is the first one.
    PagesWrap,
    /// The page after the last one is the last one again.
    PagesClamp,
    /// Each request returns the first page.
    PageIgnored,
    /// Each request returns arbitrary rows.
    PageShuffled,
    /// After some page the status is 400, 404, 416 or 422, although there are more rows.
    DepthCap,
    /// The order of the rows differs from request to request.
    Unordered,
    /// An offset is rounded down to a whole page.
    OffsetRounds,
    /// After the last id the list starts again.
    LastIdWraps,
    /// Pages count from 0, which the connector does not know.
    FirstPageZero,
    /// Keys are unique only within one parent, which the connector does not know.
    KeyAcrossParents,
    /// Two rows of a list have the same key.
    KeyTwice,
    /// A page starts with the last row of the previous page.
    Inclusive,
    /// Every third response is a 202; the page is returned when it is requested again.
    NotYet,
    /// The status of the child lists of all records, or of one, is 404, although the records exist.
    PartsNotFound,
    /// A list without paging has a round number of rows, and no statement that more exist.
    SilentCap,
    /// A list without paging has a total above the number of its rows.
    TotalUndeclared,
    /// A list without paging states that there is more.
    MoreUndeclared,
    /// A list without paging has a token.
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

/// The evidence that reveals a lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Betrayal {
    /// Some statement of some response.
    AStatement,
    /// No statement of the API: the end must stay unproved.
    Nothing,
    /// No evidence is needed: all rows can be requested.
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

    /// Returns the evidence that reveals it.
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

    /// Returns whether it replaces every page after some page.
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

    /// Returns whether the response that ends a list early is no page of a list.
    pub fn is_told_by_its_shape(self) -> bool {
        matches!(
            self,
            Lie::EndsIn202
                | Lie::EndsInNull
                | Lie::EndsInErrors
                | Lie::EndsInRefusal
                | Lie::EndsInObject
        )
    }

    /// Returns whether it is about undeclared statements of a list without paging.
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

    /// Returns whether it is about child lists.
    pub fn is_of_parts(self) -> bool {
        matches!(self, Lie::KeyAcrossParents | Lie::PartsNotFound)
    }

    /// Returns whether a child list can tell it too.
    pub fn is_of_any_list(self) -> bool {
        !self.is_of_parts()
            && !matches!(
                self,
                Lie::KeyTwice | Lie::FilterIgnored | Lie::ClockAhead | Lie::ClockBack
            )
    }

    /// Returns the ways of paging in which it can be told.
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

    /// Changes an honest list so that the lie can be told, and so that at least one true statement
    /// reveals it.
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
                // This statement contradicts the lie.
                match list.paging == Paging::LastId || twist.is_multiple_of(2) {
                    true => list.more = true,
                    false => list.total = Total::Items,
                }
            }
            Lie::FirstPageZero => list.first_page = 1,
            Lie::PagesWrap | Lie::PagesClamp | Lie::LastIdWraps => {
                (list.total, list.more) = (Total::None, false);
            }
            Lie::MoreUndeclared => list.more = true,
            Lie::Inclusive => list.numbered = false,
            Lie::FilterIgnored | Lie::ClockAhead => list.since = true,
            Lie::ClockBack => (list.since, list.deletes) = (false, Deletes::Hard),
            _ => {}
        }
        if matches!(
            self,
            Lie::KeyTwice | Lie::FilterIgnored | Lie::ClockAhead | Lie::ClockBack
        ) {
            (list.keyed, list.append, list.no_filter) = (true, false, false);
        }
        // A page that is shorter than requested is cut off only at a usual page size, which these
        // are not.
        if matches!(self, Lie::TotalOfPage | Lie::TotalRising | Lie::PagesTooLow) {
            list.asks = list.asks.map(|rows| rows.min(list.cap));
        }
        if self.is_of_single() {
            list.total_in_header &= self == Lie::TotalUndeclared;
            // The cap is a common page size.
            list.cap = [10, 20, 25, 50][twist % 4];
        }
        // Statements in the body need an envelope around the list.
        let beside = list.more || list.total != Total::None && !list.total_in_header;
        list.bare &= !beside && !self.is_ending() && !self.is_of_single();
        match list.since {
            true => list.deletes = Deletes::Keep,
            false => (list.by_cursor, list.no_filter) = (false, false),
        }
    }
}
