//! How the directory learns what was called and how it was answered: reports, gathered by company, on the stream `CALLS`.
//!
//! No answer waits for any of this. What there is no room for, or cannot be stored, is dropped and counted; a change stands
//! in the directory's log without its report.

mod allowance;
mod batch;
mod report;

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use bus_contract::directory::call::Answer;
use bus_jetstream::{Bus, publish::PublishError};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use service_runtime::{causes::Causes, clock::Clock, rate::Buckets};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use typed_ids::CompanyId;

pub(crate) use self::report::{About, Refused, Report, shortened, timestamp};
use self::{
    allowance::Allowances,
    batch::{Batch, Sealed},
};
use crate::metrics::Metrics;

/// Reports that wait to be gathered; what comes beyond them is dropped. Some 300 bytes each.
const MAX_WAITING: usize = 8_192;
/// Reports of all companies that are gathered before they are sent, whatever the time.
const MAX_GATHERED: usize = 4_096;
/// How long reports are gathered.
const GATHERING: Duration = Duration::from_millis(250);
/// How often companies are forgotten whose allowances are whole again.
const SWEEP: Duration = Duration::from_secs(60);
/// Batches whose confirmation is awaited at once.
const MAX_UNDER_WAY: usize = 32;
/// How long until a batch that could not be stored is sent again, once.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How long a process that ends stays for what is gathered; a second attempt is within it.
const FAREWELL: Duration = Duration::from_secs(3);

/// Takes reports. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Calls {
    waiting: mpsc::Sender<Report>,
    metrics: Metrics,
}

/// Why reports are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// More come than can be handed on.
    Overflow,
    /// The bus does not answer.
    Unavailable,
    /// The stream is full or missing.
    Refused,
    /// Somebody calls without end with a credential that has ended, or more often than a company may.
    Flood,
    /// The process ends.
    Stopping,
}

impl Loss {
    /// Every reason.
    pub(crate) const ALL: [Self; 5] =
        [Self::Overflow, Self::Unavailable, Self::Refused, Self::Flood, Self::Stopping];

    /// The metric label.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Overflow => "overflow",
            Self::Unavailable => "unavailable",
            Self::Refused => "refused",
            Self::Flood => "flood",
            Self::Stopping => "stopping",
        }
    }
}

impl Calls {
    /// Where to report, and who sends what is reported.
    pub(crate) fn new(clock: &Clock, metrics: &Metrics) -> (Self, Sending) {
        let (waiting, arriving) = mpsc::channel(MAX_WAITING);
        let sending = Sending {
            arriving,
            gathered: HashMap::new(),
            count: 0,
            ready: VecDeque::new(),
            under_way: FuturesUnordered::new(),
            allowances: Allowances::new(clock),
            is_failing: false,
            metrics: metrics.clone(),
        };
        (Self { waiting, metrics: metrics.clone() }, sending)
    }

    /// Reports a call, or drops the report when there is no room for it.
    pub(crate) fn report(&self, report: Report) {
        self.metrics.calls_waiting.inc();
        match self.waiting.try_send(report) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => lose(&self.metrics, 1, Loss::Overflow),
            Err(mpsc::error::TrySendError::Closed(_)) => lose(&self.metrics, 1, Loss::Stopping),
        }
    }
}

fn lose(metrics: &Metrics, calls: usize, loss: Loss) {
    let calls = u32::try_from(calls).unwrap_or(u32::MAX);
    metrics.calls_dropped.with_label_values(&[loss.reason()]).inc_by(calls.into());
    metrics.calls_waiting.sub(calls.into());
}

/// Gathers reports and sends them.
pub(crate) struct Sending {
    arriving: mpsc::Receiver<Report>,
    gathered: HashMap<CompanyId, Batch>,
    /// Reports in all that is gathered.
    count: usize,
    /// Batches that await their turn. While there are any, no report is taken.
    ready: VecDeque<Sealed>,
    under_way: FuturesUnordered<BoxFuture<'static, Delivered>>,
    allowances: Allowances,
    /// Whether the last batch was lost.
    is_failing: bool,
    metrics: Metrics,
}

/// What became of a batch.
struct Delivered {
    calls: usize,
    result: Result<(), PublishError>,
}

impl Sending {
    /// Sends what is reported until it is asked to stop; then what has been reported until then.
    pub(crate) async fn run(mut self, bus: Bus, stop: CancellationToken) -> anyhow::Result<()> {
        let mut gathering = interval(GATHERING);
        gathering.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sweeping = interval(SWEEP);
        loop {
            let may_take = self.ready.is_empty();
            tokio::select! {
                () = stop.cancelled() => break,
                Some(report) = self.arriving.recv(), if may_take => self.gather(report),
                Some(delivered) = self.under_way.next() => self.note(delivered),
                _ = gathering.tick() => self.seal_all(),
                _ = sweeping.tick() => self.allowances.forget_the_rested(),
            }
            self.begin(&bus);
        }
        self.arriving.close();
        if timeout(FAREWELL, self.finish(&bus)).await.is_err() {
            tracing::warn!("the process ends before all calls are reported");
        }
        let left = usize::try_from(self.metrics.calls_waiting.get()).unwrap_or_default();
        lose(&self.metrics, left, Loss::Stopping);
        Ok(())
    }

    async fn finish(&mut self, bus: &Bus) {
        while let Some(report) = self.arriving.recv().await {
            self.gather(report);
        }
        self.seal_all();
        self.begin(bus);
        while let Some(delivered) = self.under_way.next().await {
            self.note(delivered);
            self.begin(bus);
        }
    }

    fn gather(&mut self, report: Report) {
        let company = report.caller.company;
        let is_spent = |bucket: &Buckets<CompanyId>| bucket.take(&company).is_err();
        let Allowances { reads, unentitled } = &self.allowances;
        let report = match report.answer {
            _ if report.is_unentitled() && is_spent(unentitled) => {
                return lose(&self.metrics, 1, Loss::Flood);
            }
            Answer::Found | Answer::NothingFound if is_spent(reads) => report.in_brief(),
            _ => report,
        };
        let batch = self.gathered.entry(company).or_default();
        batch.add(report.into_call());
        self.count += 1;
        if self.count >= MAX_GATHERED {
            self.seal_all();
        } else if batch.is_full() {
            self.count -= batch.len();
            self.ready.extend(self.gathered.remove(&company).map(|batch| batch.seal(company)));
        }
    }

    fn seal_all(&mut self) {
        self.count = 0;
        self.ready.extend(self.gathered.drain().map(|(company, batch)| batch.seal(company)));
    }

    /// Begins to send as many batches as may be under way.
    fn begin(&mut self, bus: &Bus) {
        while self.under_way.len() < MAX_UNDER_WAY
            && let Some(batch) = self.ready.pop_front()
        {
            self.metrics.call_batches.inc();
            self.under_way.push(deliver(bus.clone(), batch).boxed());
        }
    }

    fn note(&mut self, delivered: Delivered) {
        let Delivered { calls, result } = delivered;
        let failed = match result {
            Ok(()) => {
                let calls = u32::try_from(calls).unwrap_or(u32::MAX);
                self.metrics.calls_reported.inc_by(calls.into());
                self.metrics.calls_waiting.sub(calls.into());
                None
            }
            Err(error) => {
                let loss = match error {
                    PublishError::Unavailable(_) => Loss::Unavailable,
                    PublishError::Refused(_) | PublishError::TooLarge => Loss::Refused,
                };
                lose(&self.metrics, calls, loss);
                Some(error)
            }
        };
        // Said once, not for each of four batches a second; the metrics count on.
        match (failed, self.is_failing) {
            (Some(error), false) => {
                tracing::warn!(error = %Causes(&error), "calls are not reported; the directory's log and health lack them");
                self.is_failing = true;
            }
            (None, true) => {
                tracing::info!("calls are reported again");
                self.is_failing = false;
            }
            (Some(_), true) | (None, false) => {}
        }
    }
}

/// Stores a batch, at the second attempt when the bus does not answer the first. Its id makes that harmless.
async fn deliver(bus: Bus, batch: Sealed) -> Delivered {
    let mut result = publish(&bus, &batch).await;
    if matches!(result, Err(PublishError::Unavailable(_))) {
        sleep(RETRY_AFTER).await;
        result = publish(&bus, &batch).await;
    }
    Delivered { calls: batch.calls, result }
}

async fn publish(bus: &Bus, batch: &Sealed) -> Result<(), PublishError> {
    let subject = batch.subject.clone();
    bus.publish_durable(subject, &batch.id, None, batch.payload.clone()).await?.await.map(|_stored| ())
}

#[cfg(test)]
mod tests {
    use bus_contract::call::Verb;
    use prometheus::Registry;
    use typed_ids::{RequestId, TokenId};

    use super::*;
    use crate::auth::Caller;

    fn report() -> Report {
        Report {
            request_id: RequestId::mint(),
            caller: Caller { company: CompanyId::mint(), credential_id: TokenId::mint().into() },
            address: None,
            answered_at: Duration::ZERO,
            duration: Duration::ZERO,
            verb: Verb::Read,
            answer: Answer::Found,
            status: 200,
            refused: None,
            about: None,
            name: None,
            is_decided: false,
        }
    }

    fn dropped(metrics: &Metrics, loss: Loss) -> u64 {
        metrics.calls_dropped.with_label_values(&[loss.reason()]).get()
    }

    #[test]
    fn what_comes_faster_than_it_is_sent_is_dropped_and_counted() {
        let metrics = Metrics::register(&Registry::new()).unwrap();
        let (calls, sending) = Calls::new(&Clock::system(), &metrics);
        (0..MAX_WAITING + 3).for_each(|_| calls.report(report()));
        assert_eq!(dropped(&metrics, Loss::Overflow), 3);
        assert_eq!(usize::try_from(metrics.calls_waiting.get()), Ok(MAX_WAITING));

        drop(sending);
        calls.report(report());
        assert_eq!(dropped(&metrics, Loss::Stopping), 1);
    }
}
