//! A ring of the newest items.

/// The newest `capacity` items, oldest first.
#[derive(Debug, Clone)]
pub struct Ring<T> {
    items: Vec<T>,
    capacity: usize,
    /// Where the oldest item lies, once the ring is full.
    oldest: usize,
}

impl<T> Ring<T> {
    /// An empty ring; a capacity of 0 becomes 1. Allots on first use.
    pub fn new(capacity: usize) -> Self {
        Self { items: Vec::new(), capacity: capacity.max(1), oldest: 0 }
    }

    /// Appends an item; returns the oldest one where there was no room.
    pub fn push(&mut self, item: T) -> Option<T> {
        if self.items.len() < self.capacity {
            // All at once: doubling would allot up to twice what a ring can hold.
            self.items.reserve_exact(self.capacity - self.items.len());
            self.items.push(item);
            return None;
        }
        let dropped = std::mem::replace(&mut self.items[self.oldest], item);
        self.oldest = (self.oldest + 1) % self.capacity;
        Some(dropped)
    }

    /// Items held.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The greatest number of items that are kept.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The newest item.
    pub fn latest(&self) -> Option<&T> {
        self.iter().next_back()
    }

    /// From the oldest to the newest.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        let (newer, older) = self.items.split_at(self.oldest);
        older.iter().chain(newer)
    }

    /// From the oldest to the newest, to change them in place.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut T> {
        let (newer, older) = self.items.split_at_mut(self.oldest);
        older.iter_mut().chain(newer)
    }
}
