//! The loop that asks, starts, listens and journals.

use std::time::Duration;

use super::executor::Update;
use super::news::Heard;
use super::referee::Referee;
use super::sitting::{Ended, Sitting};
use crate::error::StudyError;
use crate::journal::{EndReason, Event};
use crate::order::Policies;
use crate::sampler::Sampler;
use crate::study::StudySpec;
use crate::trial::FailureKind;

/// How often the user's wish to stop is looked up.
const POLL: Duration = Duration::from_millis(50);
/// How long segments that were told to stop are waited for. Executors promise a second.
const GRACE: Duration = Duration::from_secs(3);

/// Runs one sitting with the given sampler and policy; see [`super::run`].
pub(crate) fn drive(
    spec: &StudySpec,
    sampler: Box<dyn Sampler>,
    policies: Policies<'_>,
    sitting: Sitting<'_>,
) -> Result<Ended, StudyError> {
    let referee = Referee::open(spec, sampler, policies, &mut *sitting.journal)?;
    let mut driver = Driver { sitting, referee, closing: None };
    driver.flush()?;
    let reason = driver.go()?;
    Ok(Ended { history: driver.referee.into_history(), reason })
}

struct Driver<'s, 'p> {
    sitting: Sitting<'s>,
    referee: Referee<'p>,
    closing: Option<Closing>,
}

/// The sitting is ending before its study: nothing new begins.
#[derive(Clone, Copy)]
struct Closing {
    reason: EndReason,
    since: Duration,
}

impl Driver<'_, '_> {
    fn go(&mut self) -> Result<EndReason, StudyError> {
        loop {
            self.close_if_due();
            while self.closing.is_none() && self.can_start() && self.start_one()? {
                self.close_if_due();
            }
            self.flush()?;
            if self.closing.is_none() && self.referee.active.len() > 1 && !self.can_start() {
                self.referee.prepare(self.sitting.clock)?;
            }
            if let Some(reason) = self.is_over() {
                return self.end(reason);
            }
            self.listen()?;
            self.flush()?;
        }
    }

    /// Ends the sitting early where the user wishes it or the time is spent.
    fn close_if_due(&mut self) {
        if self.closing.is_some() {
            return;
        }
        let reason = if (self.sitting.stop)() {
            EndReason::Stopped
        } else if self.seconds_left().is_some_and(|left| left <= 0.0) {
            EndReason::SearchTime
        } else {
            return;
        };
        self.closing = Some(Closing { reason, since: (self.sitting.clock)() });
        for (segment, trial) in &self.referee.active {
            self.sitting.executor.stop(*trial, *segment);
        }
    }

    fn seconds_left(&self) -> Option<f64> {
        self.referee.seconds_left((self.sitting.clock)())
    }

    fn can_start(&self) -> bool {
        let slots = self.referee.history().spec().limits.slots();
        self.referee.active.len() < slots && self.sitting.executor.free() > 0
    }

    /// Starts what is next; false where nothing is.
    fn start_one(&mut self) -> Result<bool, StudyError> {
        let Some(assignment) = self.referee.next(self.sitting.clock)? else {
            return Ok(false);
        };
        self.flush()?;
        self.sitting.executor.start(assignment);
        Ok(true)
    }

    /// Waits for an update, then takes all there are.
    fn listen(&mut self) -> Result<(), StudyError> {
        let left = self.seconds_left().filter(|_| self.closing.is_none());
        let timeout = left.map_or(POLL, |left| POLL.min(Duration::from_secs_f64(left.max(0.0))));
        let mut update = self.sitting.executor.next(timeout);
        while let Some(news) = update {
            match news {
                Update::Reported { segment, trial, rung, outcome } => {
                    let heard = self.referee.reported(segment, trial, rung, outcome)?;
                    if matches!(heard, Heard::Over { .. }) {
                        self.sitting.executor.stop(trial, segment);
                    }
                }
                Update::Ended { segment, trial, end } => {
                    self.referee.ended(segment, trial, end, self.closing.map(|closing| closing.reason))?;
                }
            }
            update = self.sitting.executor.next(Duration::ZERO);
        }
        Ok(())
    }

    /// Why the sitting is over, if it is.
    fn is_over(&self) -> Option<EndReason> {
        if let Some(Closing { reason, since }) = self.closing {
            let late = (self.sitting.clock)().saturating_sub(since) > GRACE;
            return (self.referee.active.is_empty() || late).then_some(reason);
        }
        self.referee.over()
    }

    fn end(&mut self, reason: EndReason) -> Result<EndReason, StudyError> {
        if reason == EndReason::SearchTime {
            for (segment, trial) in std::mem::take(&mut self.referee.active) {
                let reason = "it did not stop at the end of the search".to_owned();
                self.referee.record(Event::Failed { segment, trial, kind: FailureKind::TimedOut, reason })?;
            }
        }
        let spent_seconds = self.referee.spent((self.sitting.clock)());
        self.referee.record(Event::Ended { reason, spent_seconds })?;
        self.flush()?;
        Ok(reason)
    }

    fn flush(&mut self) -> Result<(), StudyError> {
        self.referee.flush(self.sitting.journal, self.sitting.observe)
    }
}
