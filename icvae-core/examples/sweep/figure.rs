//! What the sweep has shown so far: a figure for each data set.

use std::path::PathBuf;

use icvae_core::Result;
use icvae_core::plot::Curves;

use crate::folder::{Folder, Line};
use crate::grid::{Data, word};

/// A curve's name, and its points: means over the seeds.
type Curve = (String, Vec<(f64, f64)>);

/// Draws what models are good for against what their codes tell of the class, for each data set that has results.
pub fn draw(results: &[Line], folder: &Folder) -> Result<Vec<PathBuf>> {
    let mut all: Vec<Data> = Vec::new();
    for line in results {
        if !all.contains(&line.settings.data) {
            all.push(line.settings.data);
        }
    }
    let mut paths = Vec::new();
    for data in all {
        let lines: Vec<&Line> = results
            .iter()
            .filter(|line| line.settings.data == data)
            .collect();
        let name = word(&data);
        let (x, x_label) = match data.is_table() {
            true => ("accuracy", "accuracy of the prediction, test rows"),
            false => (
                "reconstruction",
                "squared error of the reconstruction, test digits",
            ),
        };
        let curves = curves(&lines, x);
        if curves.is_empty() {
            continue;
        }
        let title = format!("{name}: what is kept, and what is told");
        let mut figure = Curves::new(title)
            .x_label(x_label)
            .y_label("class that a probe reads from sampled codes")
            .size(760, 460);
        for (name, points) in &curves {
            figure = figure.series(name.clone(), points);
        }
        let path = folder.figure(&name);
        figure.draw()?.save(&path)?;
        paths.push(path);
    }
    Ok(paths)
}

/// Each curve's points in the order of x: the mean over the seeds of x and of the best probe's accuracy.
fn curves(lines: &[&Line], x: &str) -> Vec<Curve> {
    let mut curves: Vec<Curve> = Vec::new();
    let mut seen: Vec<&Line> = Vec::new();
    for line in lines {
        // A point of another seed is the same point.
        let same = |other: &Line| {
            let mut settings = other.settings.clone();
            settings.seed = line.settings.seed;
            settings == line.settings
        };
        if seen.iter().any(|other| same(other)) {
            continue;
        }
        seen.push(line);
        let group: Vec<(f64, f64)> = lines
            .iter()
            .filter(|other| same(other))
            .filter_map(|line| Some((line.measure(x)?, read(line)?)))
            .collect();
        let n = group.len() as f64;
        if group.is_empty() {
            continue;
        }
        let sum = group.iter().fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        let point = (sum.0 / n, sum.1 / n);
        let name = &line.settings.curve;
        match curves.iter_mut().find(|(other, _)| other == name) {
            Some((_, points)) => points.push(point),
            None => curves.push((name.clone(), vec![point])),
        }
    }
    for (_, points) in &mut curves {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    curves
}

/// The accuracy of the best of the probes, on samples of the code, or on x where there is no code.
fn read(line: &Line) -> Option<f64> {
    ["samples", "x"]
        .iter()
        .flat_map(|of| {
            (0..4).filter_map(move |layers| line.measure(&format!("probe_{of}_{layers}")))
        })
        .max_by(f64::total_cmp)
}
