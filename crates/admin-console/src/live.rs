//! Tells open pages that what they show has changed: one subscription per process, any number of pages behind it.
//!
//! What is passed on is only *that* something changed, never what. A page asks for its fragments again, through the
//! same guard as ever, so nothing can leak here; and a page hears of its own company alone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bus_contract::{
    Message as _,
    console::SessionsEnded,
    subject::{EVERY_ACTIVITY, SESSIONS_ENDED, company_of_activity},
};
use bus_jetstream::Bus;
use futures_util::StreamExt as _;
use prometheus::IntGauge;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use typed_ids::CompanyId;
use uuid::Uuid;

/// Open pages of one session; one more ends the oldest. A page that was left is known to be so only at the next
/// heartbeat, so whoever clicks through the console has a few behind them.
pub(crate) const MOST_PER_SESSION: usize = 8;
/// Open pages of this process.
pub(crate) const MOST: usize = 2_000;

/// Who listens, and to what. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Live {
    listeners: Arc<Mutex<Listeners>>,
    open: IntGauge,
    stop: CancellationToken,
}

#[derive(Default)]
struct Listeners {
    companies: HashMap<CompanyId, watch::Sender<u64>>,
    /// The oldest first.
    sessions: HashMap<Uuid, Vec<CancellationToken>>,
    all: usize,
}

/// Too many pages are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

/// One open page; dropped, it is closed.
pub(crate) struct Listener {
    live: Live,
    company: CompanyId,
    session: Uuid,
    changes: watch::Receiver<u64>,
    /// Cancelled when the session ends, or a newer page of it needs the place.
    end: CancellationToken,
}

impl Live {
    /// Nobody listens yet. `stop` is the process's: with it every stream ends.
    pub(crate) fn new(open: IntGauge, stop: CancellationToken) -> Self {
        Self { listeners: Arc::default(), open, stop }
    }

    /// Passes on what the directory says, and ends what an instance of ours says has ended, until the process stops.
    pub(crate) async fn run(self, bus: Bus, stop: CancellationToken) -> anyhow::Result<()> {
        let mut changes = bus.subscribe(EVERY_ACTIVITY).await?;
        let mut ends = bus.subscribe(SESSIONS_ENDED).await?;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                change = changes.next() => match change {
                    Some(change) => {
                        if let Some(company) = company_of_activity(&change.subject) {
                            self.tell(company);
                        }
                    }
                    None => return Ok(()),
                },
                ended = ends.next() => match ended {
                    Some(ended) => self.end_all(&SessionsEnded::decode(ended.payload).unwrap_or_default()),
                    None => return Ok(()),
                },
            }
        }
    }

    /// Ends every page of these sessions that is open here.
    fn end_all(&self, ended: &SessionsEnded) {
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        for session in ended.session_ids.iter().filter_map(|id| id.parse::<Uuid>().ok()) {
            let open = listeners.sessions.get(&session).map(Vec::as_slice).unwrap_or_default();
            open.iter().for_each(CancellationToken::cancel);
        }
    }

    /// Opens a page's ear to its own company.
    pub(crate) fn listen(&self, company: CompanyId, session: Uuid) -> Result<Listener, TooMany> {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        if listeners.all >= MOST {
            return Err(TooMany);
        }
        listeners.all += 1;
        self.open.inc();
        let end = self.stop.child_token();
        let of_session = listeners.sessions.entry(session).or_default();
        of_session.push(end.clone());
        if of_session.len() > MOST_PER_SESSION {
            of_session.remove(0).cancel();
        }
        let changes = listeners.companies.entry(company).or_insert_with(|| watch::Sender::new(0)).subscribe();
        Ok(Listener { live: self.clone(), company, session, changes, end })
    }

    fn tell(&self, company: CompanyId) {
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(changes) = listeners.companies.get(&company) {
            changes.send_modify(|count| *count += 1);
        }
    }
}

impl Listener {
    /// Waits for the next change; several that came in the meantime are one. `false` at the end: of the
    /// session, of the process, or when a newer page has taken its place.
    pub(crate) async fn changed(&mut self) -> bool {
        tokio::select! {
            biased;
            () = self.end.cancelled() => false,
            changed = self.changes.changed() => changed.is_ok(),
        }
    }

    /// Waits so long, or until the end; whether that has come.
    pub(crate) async fn ends_within(&self, wait: Duration) -> bool {
        tokio::time::timeout(wait, self.end.cancelled()).await.is_ok()
    }

    /// How many changes there were, for the event's id.
    pub(crate) fn count(&self) -> u64 {
        *self.changes.borrow()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut listeners = self.live.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.all -= 1;
        self.live.open.dec();
        // Whichever ends is marked, and forgotten with the other marked ones.
        self.end.cancel();
        if let Some(of_session) = listeners.sessions.get_mut(&self.session) {
            of_session.retain(|end| !end.is_cancelled());
            if of_session.is_empty() {
                listeners.sessions.remove(&self.session);
            }
        }
        // The receiver of this one is still counted.
        if listeners.companies.get(&self.company).is_some_and(|changes| changes.receiver_count() <= 1) {
            listeners.companies.remove(&self.company);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Live {
        Live::new(IntGauge::new("open", "open").unwrap(), CancellationToken::new())
    }

    #[tokio::test]
    async fn a_page_hears_of_its_own_company_only_and_once_of_several_changes() {
        let live = live();
        let (ours, theirs) = (CompanyId::mint(), CompanyId::mint());
        let mut listener = live.listen(ours, Uuid::now_v7()).unwrap();
        let mut other = live.listen(theirs, Uuid::now_v7()).unwrap();
        live.tell(ours);
        live.tell(ours);
        assert!(listener.changed().await);
        assert_eq!(listener.count(), 2);
        live.stop.cancel();
        assert!(!other.changed().await, "a change of another company was heard");
    }

    #[tokio::test]
    async fn a_session_that_has_ended_has_no_page_open_and_others_go_on() {
        let live = live();
        let (company, ended) = (CompanyId::mint(), Uuid::now_v7());
        let mut pages = [live.listen(company, ended).unwrap(), live.listen(company, ended).unwrap()];
        let mut other = live.listen(company, Uuid::now_v7()).unwrap();
        live.end_all(&SessionsEnded { session_ids: vec!["nonsense".to_owned(), ended.to_string()] });
        for page in &mut pages {
            assert!(!page.changed().await, "it goes on");
            assert!(page.ends_within(Duration::from_secs(600)).await, "it pauses");
        }
        live.tell(company);
        assert!(other.changed().await);
    }

    #[tokio::test]
    async fn a_session_has_few_pages_open_and_a_new_one_ends_the_oldest() {
        let live = live();
        let (company, session) = (CompanyId::mint(), Uuid::now_v7());
        let mut open: Vec<_> =
            (0..MOST_PER_SESSION).map(|_| live.listen(company, session).unwrap()).collect();
        let mut another = live.listen(company, Uuid::now_v7()).unwrap();
        open.push(live.listen(company, session).unwrap());
        assert!(!open[0].changed().await, "the oldest goes on");
        live.tell(company);
        assert!(open[1].changed().await && another.changed().await, "the others do not");
        drop((open, another));
        let listeners = live.listeners.lock().unwrap();
        assert_eq!((listeners.all, listeners.sessions.len(), listeners.companies.len()), (0, 0, 0));
        assert_eq!(live.open.get(), 0);
    }
}
