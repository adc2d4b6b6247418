//! Passwords: which are good enough, and how they are hashed without stopping anything else.
//!
//! A hash takes tens of milliseconds and [`MEMORY_KIB`] on purpose. It runs on [`THREADS`] threads of its own, and at
//! most [`WAITING_MOST`] wait for them, so that whoever tries very many passwords costs no more memory than that.

use std::sync::{
    Arc, Mutex,
    mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};

use anyhow::Context as _;
use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::phc::PasswordHash,
};
use prometheus::IntCounter;
use tokio::sync::oneshot;

/// OWASP's least for argon2id with two passes and one lane.
pub(crate) const MEMORY_KIB: u32 = 19 * 1024;
pub(crate) const PASSES: u32 = 2;
pub(crate) const LANES: u32 = 1;
/// Hashes at once.
pub(crate) const THREADS: usize = 2;
/// Hashes that wait; one more is refused.
pub(crate) const WAITING_MOST: usize = 64;

/// NIST SP 800-63B-4 §3.1.1.2 asks for 15 where a password is all there is, 8 beside something else; 12 is between.
pub(crate) const LENGTH_LEAST: usize = 12;
pub(crate) const LENGTH_MOST: usize = 200;

/// Why a password is not good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weakness {
    TooShort,
    TooLong,
    /// It holds the e-mail address' name or the company's.
    Guessable,
    /// Everybody tries it first.
    Common,
}

/// The beginnings of what is tried first, among passwords that are long enough: everything else in such lists is short.
const COMMON: &[&str] = &[
    "password",
    "passw0rd",
    "p@ssw0rd",
    "motdepasse",
    "qwertyuiop",
    "azertyuiop",
    "qwertzuiop",
    "123456789",
    "1234567890",
    "0123456789",
    "987654321",
    "1q2w3e4r5t",
    "1qaz2wsx3edc",
    "qazwsxedc",
    "iloveyou",
    "letmein",
    "welcome",
    "bienvenue",
    "administrator",
    "administrateur",
    "changeme",
    "timeclock",
    "trustno1",
    "abcdefgh",
    "sunshine",
    "football",
    "princesse",
    "princess",
    "superman",
    "asdfghjkl",
    "zxcvbnm",
];
/// A common word with fewer other characters behind it than this is still the common word.
const OTHER_LEAST: usize = 6;
/// Names shorter than this are in many innocent words.
const NAME_LEAST: usize = 4;

/// Whether a password is good enough for this person; the first reason why not.
pub(crate) fn weakness(password: &str, email: &str, company_name: &str) -> Option<Weakness> {
    let length = password.chars().count();
    if length < LENGTH_LEAST {
        return Some(Weakness::TooShort);
    }
    if length > LENGTH_MOST {
        return Some(Weakness::TooLong);
    }
    let folded = password.to_lowercase();
    let local = email.split('@').next().unwrap_or_default().to_lowercase();
    let company = company_name.to_lowercase();
    let names = [email.to_lowercase(), local, company.replace(' ', ""), company];
    if names.iter().any(|name| name.chars().count() >= NAME_LEAST && folded.contains(name.as_str())) {
        return Some(Weakness::Guessable);
    }
    let distinct: std::collections::BTreeSet<char> = folded.chars().collect();
    let is_common = COMMON.iter().any(|word| {
        folded.strip_prefix(word).is_some_and(|rest| {
            let other = rest.chars().filter(|c| c.is_alphabetic()).count();
            other < OTHER_LEAST || rest.starts_with(word)
        })
    });
    (is_common || distinct.len() < 5).then_some(Weakness::Common)
}

/// No hash could be computed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashError {
    /// Too many wait already. Trying again is right.
    #[error("too many passwords are being checked at the moment")]
    Busy,
    /// A stored hash cannot be read, or the machine has no random numbers.
    #[error("a password cannot be hashed")]
    Failed(#[source] anyhow::Error),
}

/// Hashes passwords. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Passwords {
    jobs: SyncSender<Box<dyn FnOnce() + Send>>,
    /// Nobody's password, for whoever has none.
    decoy: Arc<str>,
    hashes: IntCounter,
}

/// What came of trying a password.
#[derive(Debug)]
pub(crate) enum Verdict {
    Wrong,
    Right {
        /// The same password hashed as it is today, when the stored hash is from other days.
        renewed: Option<String>,
    },
}

impl Passwords {
    /// Starts the threads.
    pub(crate) fn start(hashes: IntCounter) -> anyhow::Result<Self> {
        let (jobs, waiting) = sync_channel(WAITING_MOST);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..THREADS {
            let waiting = Arc::clone(&waiting);
            std::thread::Builder::new()
                .name("password hashing".to_owned())
                .spawn(move || work(&waiting))
                .context("cannot start a thread that hashes passwords")?;
        }
        let decoy = hash(&crate::opaque::mint())?;
        Ok(Self { jobs, decoy: decoy.into(), hashes })
    }

    /// Hashes a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, HashError> {
        self.run(move || hash(&password)).await
    }

    /// Tries a password. Without a stored hash it is wrong, after the same work.
    pub(crate) async fn verify(
        &self,
        stored: Option<String>,
        password: String,
    ) -> Result<Verdict, HashError> {
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.to_string());
        self.run(move || {
            let known = PasswordHash::new(&stored).context("a stored hash is damaged")?;
            let is_right = hasher()?.verify_password(password.as_bytes(), &known).is_ok();
            if !(is_right && exists) {
                return Ok(Verdict::Wrong);
            }
            let renewed = (!is_current(&known)).then(|| hash(&password)).transpose()?;
            Ok(Verdict::Right { renewed })
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, HashError> {
        let (done, told) = oneshot::channel();
        let job = Box::new(move || {
            // Whoever asked may have gone.
            done.send(work()).ok();
        });
        self.jobs.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => HashError::Busy,
            TrySendError::Disconnected(_) => HashError::Failed(anyhow::anyhow!("the threads have ended")),
        })?;
        self.hashes.inc();
        match told.await {
            Ok(result) => result.map_err(HashError::Failed),
            Err(_gone) => Err(HashError::Failed(anyhow::anyhow!("the thread ended over it"))),
        }
    }
}

/// Takes jobs until nobody can send any more.
fn work(waiting: &Mutex<Receiver<Box<dyn FnOnce() + Send>>>) {
    loop {
        // The lock is for waiting, not for working.
        let Ok(job) = waiting.lock().map(|waiting| waiting.recv()) else { return };
        let Ok(job) = job else { return };
        job();
    }
}

fn hasher() -> anyhow::Result<Argon2<'static>> {
    let parameters =
        Params::new(MEMORY_KIB, PASSES, LANES, None).context("the parameters are not argon2's")?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters))
}

fn hash(password: &str) -> anyhow::Result<String> {
    let hash = hasher()?.hash_password(password.as_bytes()).context("cannot hash")?;
    Ok(hash.to_string())
}

/// Whether a hash was made as hashes are made today.
fn is_current(known: &PasswordHash) -> bool {
    known.algorithm.as_str() == "argon2id"
        && Params::try_from(known).is_ok_and(|parameters| {
            (parameters.m_cost(), parameters.t_cost(), parameters.p_cost()) == (MEMORY_KIB, PASSES, LANES)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_told_why() {
        let weak = |password: &str| weakness(password, "anna.berg@contoso.com", "Contoso Ltd");
        assert_eq!(weak("elevenchars"), Some(Weakness::TooShort));
        assert_eq!(weak(&"ab1 ".repeat(51)), Some(Weakness::TooLong));
        assert_eq!(weak("my-Anna.Berg-secret"), Some(Weakness::Guessable));
        assert_eq!(weak("we are contoso ltd!"), Some(Weakness::Guessable));
        assert_eq!(weak("Password123456"), Some(Weakness::Common));
        assert_eq!(weak("passwordpassword"), Some(Weakness::Common));
        assert_eq!(weak("aaaaaaaaaaaaa"), Some(Weakness::Common));
        assert_eq!(weak("correct horse battery staple"), None);
        assert_eq!(weak("välkommen till byn"), None);
    }

    fn passwords() -> Passwords {
        Passwords::start(IntCounter::new("hashes", "hashes").unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_password_is_right_for_its_own_hash_alone() {
        let passwords = passwords();
        let stored = passwords.hash("correct horse battery".into()).await.unwrap();
        let verdict = passwords.verify(Some(stored.clone()), "correct horse battery".into()).await.unwrap();
        assert!(matches!(verdict, Verdict::Right { renewed: None }));
        let verdict = passwords.verify(Some(stored), "Correct horse battery".into()).await.unwrap();
        assert!(matches!(verdict, Verdict::Wrong));
    }

    #[tokio::test]
    async fn who_has_no_password_costs_the_same_work_and_is_wrong() {
        let passwords = passwords();
        let before = passwords.hashes.get();
        assert!(matches!(passwords.verify(None, "anything".into()).await.unwrap(), Verdict::Wrong));
        assert_eq!(passwords.hashes.get(), before + 1);
    }

    #[tokio::test]
    async fn a_hash_of_other_days_is_renewed() {
        let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8192, 1, 1, None).unwrap());
        let stored = weaker.hash_password(b"correct horse battery").unwrap().to_string();
        let passwords = passwords();
        let verdict = passwords.verify(Some(stored), "correct horse battery".into()).await.unwrap();
        let Verdict::Right { renewed: Some(renewed) } = verdict else { panic!("not renewed") };
        assert!(is_current(&PasswordHash::new(&renewed).unwrap()));
    }
}
