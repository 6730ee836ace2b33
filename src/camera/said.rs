//! What a camera's pictures are like, said in the log: each habit once, each reason for a drop at most once a minute.
//! ITU-T T.81 annex B is what they are measured by.

use std::time::Instant;

use tracing::{info, warn};

use crate::config;
use crate::jpeg::{Habits, Unreadable};
use crate::log_limit::LogLimit;
use crate::rtp::Refused;
use crate::rtp::carry::MAX_SIZE;
use crate::stats::{DropReason, Habit};

/// Pictures that make a habit: about a second.
const HABIT_PICTURES: u64 = 30;

/// Remembers it for one camera.
#[derive(Default)]
pub struct Said {
    reasons: [LogLimit; DropReason::ALL.len()],
    tolerated: Habits,
    is_habit_said: bool,
    large: Option<(u16, u16)>,
    sizes: LogLimit,
}

impl Said {
    /// A picture was sent, and these `habits` tolerated in it.
    pub fn tolerated(&mut self, camera: &config::Name, habits: Habits) {
        for habit in self.tolerated.extend(habits).iter() {
            let name = habit.name();
            info!("{camera}: its pictures have {habit} ({name}); they are sent");
        }
    }

    /// A picture was sent; its packets have no room for its size when that is `large`.
    pub fn large(&mut self, camera: &config::Name, large: Option<(u16, u16)>) {
        let Some((width, height)) = large.filter(|_| self.large != large) else {
            return;
        };
        self.large = large;
        if let Some(times) = self.sizes.note(Instant::now()) {
            info!(
                "{camera}: pictures of {width}x{height}: above {MAX_SIZE} pixels receivers need the session description (framewire sdp), and players built on FFmpeg show nothing by RTP{times}"
            );
        }
    }

    /// A picture was refused; when all were, for one reason, that is the camera's `habit`.
    pub fn refused(&mut self, camera: &config::Name, refused: &Refused, habit: Option<Habit>) {
        if let Some(habit) = habit
            && habit.pictures >= HABIT_PICTURES
            && !std::mem::replace(&mut self.is_habit_said, true)
        {
            let pictures = habit.pictures;
            let advice = advice(refused);
            warn!(
                "{camera}: no picture was sent yet: all {pictures} so far are refused for one reason, so this is how the camera writes them: {refused}{advice}"
            );
            return;
        }
        let limit = self.reasons.get_mut(DropReason::from(*refused) as usize);
        if let Some(times) = limit.and_then(|each| each.note(Instant::now())) {
            warn!("{camera}: frame dropped: {refused}{times}");
        }
    }
}

/// What to do when every picture is refused for this.
fn advice(refused: &Refused) -> &'static str {
    match refused {
        Refused::Unreadable(Unreadable::NoEndOfImage(_)) => {
            "; if other programs show whole pictures, set allow-missing-eoi = true"
        }
        _ => "; try another size of picture, or newer firmware",
    }
}
