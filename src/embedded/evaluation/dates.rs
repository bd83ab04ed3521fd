//! Parts of dates.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::Timestamp;
use crate::promql::expression::DatePart;

/// A part of the date, in UTC, at a number of seconds; not a number where there is no such date.
pub(super) fn date_part(part: DatePart, at_seconds: f64) -> f64 {
    // A float outside the range of integers becomes their end, and not-a-number 0, which is a date.
    if at_seconds.is_nan() {
        return f64::NAN;
    }
    match Timestamp::from_second(at_seconds as i64) {
        Ok(at) => {
            let time = at.to_zoned(TimeZone::UTC);
            of(part, time.date(), time.hour(), time.minute())
        }
        Err(_) => f64::NAN,
    }
}

fn of(part: DatePart, date: Date, hour: i8, minute: i8) -> f64 {
    match part {
        DatePart::DayOfMonth => f64::from(date.day()),
        DatePart::DayOfWeek => f64::from(date.weekday().to_sunday_zero_offset()),
        DatePart::DayOfYear => f64::from(date.day_of_year()),
        DatePart::DaysInMonth => f64::from(date.days_in_month()),
        DatePart::Hour => f64::from(hour),
        DatePart::Minute => f64::from(minute),
        DatePart::Month => f64::from(date.month()),
        DatePart::Year => f64::from(date.year()),
    }
}
