use etlgen_runtime::prelude::*;

use crate::api;

/// What happened in the account: `GET /v1/events`
pub fn events() -> Resource<Event> {
    Event::list("events", "/v1/events")
        .records("data")
        .primary_key([Event::ID])
        .paginate(api::pages())
        .incremental(
            Cursor::created(Event::CREATED)
                .param("created[gte]")
                .until("created[lte]")
                .new_rows_only(),
        )
}

/// Something that happened; it never changes.
#[derive(Record)]
pub struct Event {
    pub id: Option<String>,
    pub created: Option<UnixTime>,
    /// The object it happened to, as it was then.
    pub data: Option<Json>,
    pub r#type: Option<String>,
}
