//! Watching a model train.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use notebook_live::{Place, Progress, tell_interrupted};
use tch::Tensor;

use super::display::DisplayHandle;
use crate::Result;
use crate::plot::{Curves, Figure, ImageGrid};
use crate::train::{Control, Event, History, Listener, StopReason, TermMeans};

/// Drawing takes at most this share of the time: a frame that comes too soon is left out.
const SHARE_OF_TIME: f64 = 0.03;

/// A listener that shows a run while it trains: a progress line, the terms of the loss as curves that
/// grow with the epochs, and a strip of pictures of what the model makes at that moment.
///
/// In the live kernel the picture is redrawn in place as epochs end, as often as 3 % of the time allow; the
/// last frame stays in the notebook. Elsewhere the progress is plain lines, and the last frame comes when
/// the run ends. A run that is found complete shows its last frame at once.
///
/// ```no_run
/// # use icvae_core::{data::Digits, model::Icvae, train::{TrainConfig, Trainer}};
/// # fn example(model: &Icvae, digits: &Digits) -> icvae_core::Result<()> {
/// use icvae_core::notebook::TrainingView;
///
/// let ten = digits.test.head(10);
/// let (x, c) = (ten.x(), ten.c());
/// let view = TrainingView::new("Training").strip(ten.image_shape(), || model.reconstruct(&x, &c));
/// Trainer::new(&TrainConfig::default()).listen(view).fit(model, &digits.train, Some(&digits.test))?;
/// # Ok(())
/// # }
/// ```
pub struct TrainingView<'a> {
    title: String,
    place: Place,
    epochs: usize,
    noted: Vec<String>,
    progress: Option<Progress>,
    picture: Option<DisplayHandle>,
    strip: Option<Strip<'a>>,
    figures: Vec<Drawing<'a>>,
    terms: Option<Vec<String>>,
    last_frame: Option<(Instant, Duration)>,
    curves: bool,
    /// Whether it was said that a name is no term's.
    checked: bool,
}

/// Draws a figure of the model at a moment.
type Drawing<'a> = Box<dyn FnMut() -> Result<Figure> + 'a>;

/// Pictures of what the model makes at a moment.
struct Strip<'a> {
    image_shape: (i64, i64),
    draw: Box<dyn FnMut() -> Result<Tensor> + 'a>,
}

impl<'a> TrainingView<'a> {
    /// A view with a title, and no strip.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            place: Place::find(),
            epochs: 0,
            noted: vec!["total".into()],
            progress: None,
            picture: None,
            strip: None,
            figures: Vec::new(),
            terms: None,
            last_frame: None,
            curves: true,
            checked: false,
        }
    }

    /// Shows the progress line alone, without a picture.
    #[must_use]
    pub fn without_curves(mut self) -> Self {
        self.curves = false;
        self
    }

    /// Says once which of the asked-for names are no terms of the model.
    fn check_names(&mut self, history: &History) {
        let Some(last) = history.epochs.last().filter(|_| !self.checked) else {
            return;
        };
        self.checked = true;
        if let Some(sentence) = self.unknown_terms(&last.train) {
            eprintln!("{sentence}");
        }
    }

    fn unknown_terms(&self, terms: &TermMeans) -> Option<String> {
        let asked = self.terms.iter().flatten().chain(&self.noted);
        let unknown = asked.filter(|name| terms.get(name).is_none());
        let unknown: BTreeSet<_> = unknown.map(|name| format!("{name:?}")).collect();
        if unknown.is_empty() {
            return None;
        }
        let unknown: Vec<_> = unknown.into_iter().collect();
        let known: Vec<_> = terms.names().collect();
        Some(format!(
            "the training view has no term {} to show: the model's terms are {}",
            unknown.join(" and no term "),
            known.join(", ")
        ))
    }

    /// Draws only these terms of the loss, of those that the model has; without it, all.
    #[must_use]
    pub fn terms<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.terms = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Notes these terms beside the progress after every epoch, in place of `total`: both sides of a game,
    /// say.
    #[must_use]
    pub fn noting<S: Into<String>>(mut self, terms: impl IntoIterator<Item = S>) -> Self {
        self.noted = terms.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a row of pictures under the curves: `draw` returns them whenever a frame is drawn, as
    /// `[N, P]` in [0, 1].
    #[must_use]
    pub fn strip(
        mut self,
        image_shape: (i64, i64),
        draw: impl FnMut() -> Result<Tensor> + 'a,
    ) -> Self {
        self.strip = Some(Strip {
            image_shape,
            draw: Box::new(draw),
        });
        self
    }

    /// Adds a figure under the curves and the strip: `draw` makes it whenever a frame is drawn. Several stand
    /// side by side.
    #[must_use]
    pub fn figure(mut self, draw: impl FnMut() -> Result<Figure> + 'a) -> Self {
        self.figures.push(Box::new(draw));
        self
    }

    /// Draws a frame if there is time for it, or if it is the last.
    fn show(&mut self, history: &History, last: bool) {
        if !self.curves || history.epochs.is_empty() || !(last || self.has_time()) {
            return;
        }
        let since = Instant::now();
        match self.frame(history) {
            Ok(figure) => match &mut self.picture {
                Some(picture) => picture.update(&figure),
                None => self.picture = Some(DisplayHandle::new(&figure)),
            },
            // A picture that can't be drawn must not end a run of hours.
            Err(error) => eprintln!("the training view could not be drawn: {error}"),
        }
        self.last_frame = Some((since, since.elapsed()));
    }

    fn has_time(&self) -> bool {
        // Only the live kernel can replace a picture.
        matches!(self.place, Place::Live(_))
            && self.last_frame.is_none_or(|(since, took)| {
                took.as_secs_f64() <= SHARE_OF_TIME * since.elapsed().as_secs_f64()
            })
    }

    fn frame(&mut self, history: &History) -> Result<Figure> {
        let names = history
            .epochs
            .last()
            .map(|record| record.train.names().map(str::to_owned));
        let tested = history.epochs.iter().any(|record| record.test.is_some());
        let data = if tested { "test data" } else { "training data" };
        let mut curves = Curves::new(format!("{}: {data}", self.title))
            .x_label("epoch")
            .y_label("mean over the images")
            .x_limits(1.0, self.epochs.max(2) as f64)
            .size(820, 320);
        let mut every = Vec::new();
        let chosen = |name: &String| self.terms.as_ref().is_none_or(|terms| terms.contains(name));
        for name in names.into_iter().flatten().filter(chosen) {
            let points = history.curve(&name, tested);
            every.extend(points.iter().map(|&(_, y)| y));
            curves = curves.series(name, &points);
        }
        // What is no number is left out of the curve, and says nothing against the scale.
        if !every.iter().any(|&y| y <= 0.0) {
            curves = curves.log_y();
        }
        let mut parts = vec![curves.draw()?];
        parts.extend(self.pictures(history.epochs.len())?);
        if !self.figures.is_empty() {
            let drawn: Vec<_> = self
                .figures
                .iter_mut()
                .map(|draw| draw())
                .collect::<Result<_>>()?;
            parts.push(Figure::beside("", &drawn)?);
        }
        if let [only] = parts.as_slice() {
            return Ok(only.clone());
        }
        Figure::stacked("", &parts)
    }

    /// The strip, where there is one.
    fn pictures(&mut self, epoch: usize) -> Result<Option<Figure>> {
        let Some(strip) = &mut self.strip else {
            return Ok(None);
        };
        let images = (strip.draw)()?;
        let count = images.size().first().copied().unwrap_or(0).max(1) as usize;
        let strip = ImageGrid::new(
            &images,
            strip.image_shape,
            (count.div_ceil(10), count.min(10)),
        )
        .title(format!("after epoch {epoch}"))
        .inverted(true)
        .draw()?;
        Ok(Some(strip))
    }
}

impl Listener for TrainingView<'_> {
    fn on_event(&mut self, event: &Event<'_>) -> Control {
        match event {
            Event::Started {
                epochs,
                steps_per_epoch,
                steps_done,
                ..
            } => {
                self.epochs = *epochs;
                let total = *epochs as u64 * steps_per_epoch;
                if *steps_done < total {
                    let progress = Progress::new(&self.title, total);
                    self.progress = Some(progress.resumed_at(*steps_done));
                }
            }
            Event::Step { steps_done, .. } => {
                if let Some(progress) = &mut self.progress {
                    progress.set(*steps_done);
                }
            }
            Event::EpochEnd { record, history } => {
                self.check_names(history);
                if let Some(progress) = &mut self.progress {
                    let means = record.test.as_ref().unwrap_or(&record.train);
                    let terms: Vec<_> = (self.noted.iter())
                        .filter_map(|name| Some((name, means.get(name)?)))
                        // Hundredths are enough for tens, not for a fraction of one.
                        .map(|(name, value)| {
                            let digits = if value.abs() < 1.0 { 3 } else { 2 };
                            format!("{name} {value:.digits$}")
                        })
                        .collect();
                    progress.note(format!("epoch {}: {}", record.epoch, terms.join(", ")));
                }
                self.show(history, false);
            }
            Event::Finished { history } => {
                self.check_names(history);
                self.progress = None;
                self.show(history, true);
            }
            Event::Stopped {
                epoch,
                step,
                reason,
                history,
            } => {
                self.progress = None;
                self.show(history, true);
                if **reason == StopReason::Interrupted {
                    tell_interrupted(&format!(
                        "training stopped in epoch {epoch} of {}, after step {step}",
                        self.epochs
                    ));
                }
            }
        }
        Control::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::EpochRecord;
    use tch::{Device, Kind};

    /// A kernel that takes every request.
    fn kernel() -> std::io::Result<tempfile::TempDir> {
        use std::io::{Read, Write};
        let folder = tempfile::tempdir()?;
        let listener = std::os::unix::net::UnixListener::bind(folder.path().join("side"))?;
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let read = stream.read_to_end(&mut Vec::new());
                if read.and_then(|_| stream.write_all(b"ok")).is_err() {
                    return;
                }
            }
        });
        Ok(folder)
    }

    fn history(epochs: usize) -> History {
        let means = |epoch| TermMeans(vec![("total".into(), 80.0 - epoch as f64)]);
        let record = |epoch| EpochRecord {
            epoch,
            train: means(epoch),
            test: Some(means(epoch)),
            seconds: 1.0,
            evaluation_seconds: 0.1,
        };
        History {
            epochs: (1..=epochs).map(record).collect(),
        }
    }

    fn tell(view: &mut TrainingView<'_>, epochs: usize) {
        let empty = History::default();
        view.on_event(&Event::Started {
            epochs,
            steps_per_epoch: 2,
            steps_done: 0,
            history: &empty,
        });
        for epoch in 1..=epochs {
            view.on_event(&Event::Step {
                epoch,
                step: 2,
                steps_done: 2 * epoch as u64,
            });
            let history = history(epoch);
            let record = &history.epochs[epoch - 1];
            view.on_event(&Event::EpochEnd {
                record,
                history: &history,
            });
        }
        view.on_event(&Event::Finished {
            history: &history(epochs),
        });
    }

    #[test]
    fn frames_replace_each_other_and_take_little_of_the_time() -> std::io::Result<()> {
        let folder = kernel()?;
        let images = || Ok(Tensor::zeros([4, 12], (Kind::Float, Device::Cpu)));
        let mut view = TrainingView::new("Training").strip((4, 3), images);
        view.place = Place::Live(folder.path().into());
        view.on_event(&Event::Started {
            epochs: 50,
            steps_per_epoch: 2,
            steps_done: 100,
            history: &History::default(),
        });
        // Fifty epochs in no time: the first and the last are drawn, hardly one between.
        let since = Instant::now();
        let mut frames = 0;
        for epoch in 1..=50 {
            let before = view.last_frame;
            let history = history(epoch);
            let record = &history.epochs[epoch - 1];
            view.on_event(&Event::EpochEnd {
                record,
                history: &history,
            });
            frames += usize::from(view.last_frame != before);
        }
        assert!(
            (1..25).contains(&frames),
            "{frames} frames in {:?}",
            since.elapsed()
        );
        view.on_event(&Event::Finished {
            history: &history(50),
        });
        assert!(view.picture.is_some());
        drop((view, folder));
        Ok(())
    }

    #[test]
    fn without_a_live_kernel_the_last_frame_alone_is_drawn() {
        let mut drawn = 0;
        let images = || {
            drawn += 1;
            Ok(Tensor::zeros([4, 12], (Kind::Float, Device::Cpu)))
        };
        let mut plots = 0;
        let plot = || {
            plots += 1;
            Curves::new("a figure").series("one", &[1.0, 2.0]).draw()
        };
        let mut view = TrainingView::new("Training")
            .strip((4, 3), images)
            .figure(plot);
        view.place = Place::Plain;
        tell(&mut view, 3);
        drop(view);
        assert_eq!((drawn, plots), (1, 1));
    }

    #[test]
    fn only_the_chosen_terms_are_drawn() -> Result<()> {
        let mut history = history(2);
        for record in &mut history.epochs {
            for means in [Some(&mut record.train), record.test.as_mut()] {
                means.into_iter().for_each(|m| m.0.push(("KL".into(), 1.0)));
            }
        }
        let alt = |mut view: TrainingView<'_>| view.frame(&history).map(|f| f.alt().to_owned());
        assert!(alt(TrainingView::new("Training"))?.contains("KL"));
        let one = alt(TrainingView::new("Training").terms(["total"]))?;
        assert!(one.contains("total falls") && !one.contains("KL"), "{one}");
        Ok(())
    }

    #[test]
    fn a_picture_that_cannot_be_drawn_does_not_end_the_run() {
        let mut asked = 0;
        let images = || {
            asked += 1;
            Err(crate::Error::Invalid("no pictures today".into()))
        };
        let mut answers = Vec::new();
        let mut view = TrainingView::new("Training").strip((4, 3), images);
        for epochs in 1..=2 {
            let history = history(epochs);
            let record = &history.epochs[epochs - 1];
            let event = Event::EpochEnd {
                record,
                history: &history,
            };
            answers.push(view.on_event(&event));
        }
        let history = history(2);
        answers.push(view.on_event(&Event::Finished { history: &history }));
        assert!(view.picture.is_none());
        drop(view);
        assert!(asked >= 1, "the strip was asked for its pictures");
        assert!(answers.iter().all(|answer| *answer == Control::Continue));
    }

    #[test]
    fn names_that_no_term_has_are_told_with_those_there_are() {
        let terms = TermMeans(vec![("recon".into(), 1.0), ("total".into(), 2.0)]);
        let view = TrainingView::new("Training")
            .terms(["recon", "prior"])
            .noting(["prior", "kl"]);
        assert_eq!(
            view.unknown_terms(&terms).as_deref(),
            Some(
                "the training view has no term \"kl\" and no term \"prior\" to show: the model's terms are \
                 recon, total"
            )
        );
        assert_eq!(TrainingView::new("Training").unknown_terms(&terms), None);
        let mut bare = TrainingView::new("Training").without_curves();
        tell(&mut bare, 2);
        assert!(bare.picture.is_none());
    }
}
