//! The last day's calls as bars.

use bus_contract::{Timestamp, directory::Slot};

/// Width of the picture in its own units: one slot is ten.
const SLOT: u64 = 10;
/// Its height.
const HEIGHT: u64 = 100;
/// What is not nothing is seen.
const LEAST: u64 = 2;

/// A day of calls, to be drawn.
pub(crate) struct Picture {
    pub(crate) bars: Vec<Bar>,
    pub(crate) calls: u64,
    pub(crate) failures: u64,
    pub(crate) begins_at: Option<Timestamp>,
    pub(crate) middle_at: Option<Timestamp>,
}

/// One slot. Heights are in hundredths of the tallest.
pub(crate) struct Bar {
    pub(crate) x: u64,
    pub(crate) y: u64,
    pub(crate) height: u64,
    pub(crate) failed_y: u64,
    pub(crate) failed_height: u64,
}

impl Picture {
    pub(crate) fn of(slots: &[Slot]) -> Self {
        let tallest = slots.iter().map(|slot| slot.calls).max().unwrap_or(0).max(1);
        let height =
            |count: u64| if count == 0 { 0 } else { (count.saturating_mul(HEIGHT) / tallest).max(LEAST) };
        let bars = slots.iter().zip(0_u64..).map(|(slot, position)| {
            let (tall, failed) = (height(slot.calls), height(slot.failures.min(slot.calls)));
            Bar {
                x: position * SLOT,
                y: HEIGHT - tall,
                height: tall,
                failed_y: HEIGHT - failed,
                failed_height: failed,
            }
        });
        Self {
            bars: bars.collect(),
            calls: slots.iter().map(|slot| slot.calls).sum(),
            failures: slots.iter().map(|slot| slot.failures).sum(),
            begins_at: slots.first().and_then(|slot| slot.begins_at),
            middle_at: slots.get(slots.len() / 2).and_then(|slot| slot.begins_at),
        }
    }

    /// Of the picture's own units.
    pub(crate) fn width(&self) -> usize {
        self.bars.len() * 10
    }

    /// Per cent of the calls that were answered as asked, to one decimal; `None` without calls.
    pub(crate) fn success_tenths(&self) -> Option<u64> {
        let good = self.calls.saturating_sub(self.failures);
        good.saturating_mul(1_000).checked_div(self.calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_tall_as_their_share_and_never_vanish() {
        let slot = |calls, failures| Slot { begins_at: None, calls, failures };
        let picture = Picture::of(&[slot(0, 0), slot(10_000, 1), slot(5_000, 5_000)]);
        let heights: Vec<_> = picture.bars.iter().map(|bar| (bar.height, bar.failed_height)).collect();
        assert_eq!(heights, [(0, 0), (100, 2), (50, 50)]);
        assert_eq!((picture.calls, picture.failures, picture.success_tenths()), (15_000, 5_001, Some(666)));
    }

    #[test]
    fn a_day_without_calls_is_flat_and_has_no_rate() {
        let picture = Picture::of(&[]);
        assert_eq!((picture.calls, picture.success_tenths(), picture.bars.len()), (0, None, 0));
    }
}
