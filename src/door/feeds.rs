//! Hands each camera's pictures to those who watch it. A camera that nobody watches has no feed.

use std::cell::RefCell;
use std::io;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use tokio::net::UnixStream;
use tokio::task::{AbortHandle, spawn_local};

use super::clients::Client;
use super::mailbox::Mailbox;
use crate::bell::RINGS;
use crate::directory::{Directory, Entry};
use crate::viewers::{Viewers, Watch};

/// All feeds of a door.
#[derive(Debug, Clone)]
pub struct Feeds {
    directory: Arc<Directory>,
    feeds: Rc<RefCell<Vec<Weak<Feed>>>>,
}

/// One camera's feed, as long as somebody has it.
#[derive(Debug)]
struct Feed {
    viewers: Arc<Viewers>,
    subscribers: RefCell<Vec<Subscriber>>,
    /// Ends the task that waits for pictures.
    task: RefCell<Option<AbortHandle>>,
}

#[derive(Debug)]
struct Subscriber {
    mailbox: Rc<Mailbox>,
    /// The number of the camera in it.
    camera: usize,
    client: Rc<Client>,
}

/// What a viewer has of one camera: its pictures come to the mailbox until this is dropped.
#[derive(Debug)]
pub struct Subscription {
    watch: Watch,
    feed: Rc<Feed>,
    mailbox: Rc<Mailbox>,
}

impl Feeds {
    /// Of the cameras of `directory`.
    pub fn new(directory: Arc<Directory>) -> Self {
        Self {
            directory,
            feeds: Rc::default(),
        }
    }

    /// Has the pictures of `entry` brought to `mailbox`, as its `camera`, from the next one on.
    pub fn subscribe(
        &self,
        entry: &Entry,
        mailbox: &Rc<Mailbox>,
        camera: usize,
        client: &Rc<Client>,
    ) -> io::Result<Subscription> {
        let feed = match self.find(&entry.viewers) {
            Some(feed) => feed,
            None => self.start(&entry.viewers)?,
        };
        feed.subscribers.borrow_mut().push(Subscriber {
            mailbox: mailbox.clone(),
            camera,
            client: client.clone(),
        });
        Ok(Subscription {
            watch: entry.viewers.watch(),
            feed,
            mailbox: mailbox.clone(),
        })
    }

    fn find(&self, viewers: &Arc<Viewers>) -> Option<Rc<Feed>> {
        let feeds = self.feeds.borrow();
        let mut feeds = feeds.iter().filter_map(Weak::upgrade);
        feeds.find(|feed| Arc::ptr_eq(&feed.viewers, viewers))
    }

    fn start(&self, viewers: &Arc<Viewers>) -> io::Result<Rc<Feed>> {
        let shown = UnixStream::from_std(viewers.shown().listener()?)?;
        let feed = Rc::new(Feed {
            viewers: viewers.clone(),
            subscribers: RefCell::default(),
            task: RefCell::default(),
        });
        let task = spawn_local(hand_out(shown, Rc::downgrade(&feed)));
        feed.task.replace(Some(task.abort_handle()));
        let mut feeds = self.feeds.borrow_mut();
        feeds.retain(|feed| feed.strong_count() > 0);
        feeds.push(Rc::downgrade(&feed));
        Ok(feed)
    }

    /// Ends the feeds of cameras that are no longer configured.
    pub fn close_removed(&self) {
        let entries = self.directory.entries();
        let is_there = |feed: &Feed| {
            let mut entries = entries.iter();
            entries.any(|entry| Arc::ptr_eq(&entry.viewers, &feed.viewers))
        };
        let feeds: Vec<Rc<Feed>> = self
            .feeds
            .borrow()
            .iter()
            .filter_map(Weak::upgrade)
            .collect();
        for feed in feeds.iter().filter(|feed| !is_there(feed)) {
            for subscriber in feed.subscribers.take() {
                subscriber.mailbox.close_one();
            }
        }
    }

    /// Ends the streams of those whom `is_out` names.
    pub fn close_for(&self, is_out: impl Fn(&Client) -> bool) {
        for feed in self.feeds.borrow().iter().filter_map(Weak::upgrade) {
            feed.subscribers.borrow_mut().retain(|subscriber| {
                let is_out = is_out(&subscriber.client);
                if is_out {
                    subscriber.mailbox.close_one();
                }
                !is_out
            });
        }
    }
}

/// Brings each new picture to all subscribers.
async fn hand_out(shown: UnixStream, feed: Weak<Feed>) {
    let mut rings = [0; RINGS];
    while shown.readable().await.is_ok() {
        // Would fail when somebody else has heard it.
        let _ = shown.try_read(&mut rings);
        let Some(feed) = feed.upgrade() else { return };
        let viewers = &feed.viewers;
        if let Some(picture) = viewers.take() {
            for subscriber in feed.subscribers.borrow().iter() {
                if subscriber.mailbox.post(subscriber.camera, picture.clone()) {
                    let skipped = &subscriber.client.frames_skipped;
                    skipped.set(skipped.get() + 1);
                    viewers.skipped(1);
                }
            }
        }
    }
}

impl Subscription {
    /// Where its pictures are counted.
    pub fn viewers(&self) -> &Viewers {
        self.watch.viewers()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut subscribers = self.feed.subscribers.borrow_mut();
        subscribers.retain(|each| !Rc::ptr_eq(&each.mailbox, &self.mailbox));
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}
