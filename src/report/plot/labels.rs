//! Room for labels: each takes the first of its places that nothing else has.

/// A rectangle in pixels, by its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Rect {
    pub(super) fn intersects(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    pub(super) fn contains(&self, other: &Self) -> bool {
        other.x >= self.x
            && other.y >= self.y
            && other.x + other.width <= self.x + self.width
            && other.y + other.height <= self.y + self.height
    }
}

/// How wide a text may become: wider than the letters of DejaVu Sans are on average.
pub(super) fn text_width(text: &str, size: u32) -> f64 {
    0.66 * f64::from(size) * text.chars().count() as f64
}

/// What is taken of an area.
pub(super) struct Room {
    area: Rect,
    taken: Vec<Rect>,
}

impl Room {
    pub(super) fn new(area: Rect) -> Self {
        Self { area, taken: Vec::new() }
    }

    /// Keeps labels away from something that is drawn.
    pub(super) fn take(&mut self, rect: Rect) {
        self.taken.push(rect);
    }

    /// The first of these places that lies inside and is free; it is taken then.
    pub(super) fn place(&mut self, places: impl IntoIterator<Item = Rect>) -> Option<Rect> {
        let is_free = |rect: &Rect| self.area.contains(rect) && !self.taken.iter().any(|taken| taken.intersects(rect));
        let place = places.into_iter().find(is_free)?;
        self.taken.push(place);
        Some(place)
    }
}
