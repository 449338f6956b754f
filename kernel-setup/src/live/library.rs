//! Where the library's names are, for a cell that uses one without its import. (The compiler proposes an import only
//! where it has looked into a crate, which it hasn't always.)

/// The path of what a compiler's message misses, if the library has something of that name.
pub fn path(message: &str) -> Option<&'static str> {
    let misses = message.starts_with("cannot find ") || message.contains("use of undeclared");
    let name = message.split('`').nth(1).filter(|_| misses)?;
    let is_it = |path: &&&str| path.rsplit("::").next() == Some(name);
    NAMES.iter().find(is_it).copied()
}

/// All that the library's modules re-export.
const NAMES: &[&str] = &[
    "icvae_core::Error",
    "icvae_core::Result",
    "icvae_core::Settings",
    "icvae_core::data::Archive",
    "icvae_core::data::ArchiveFile",
    "icvae_core::data::Batch",
    "icvae_core::data::Batches",
    "icvae_core::data::DataError",
    "icvae_core::data::Dataset",
    "icvae_core::data::Digits",
    "icvae_core::data::FetchEvent",
    "icvae_core::data::Fetched",
    "icvae_core::data::Loader",
    "icvae_core::data::Source",
    "icvae_core::data::Styles",
    "icvae_core::data::load",
    "icvae_core::data::one_hot",
    "icvae_core::eval::Block",
    "icvae_core::eval::CodeLength",
    "icvae_core::eval::GroupGaps",
    "icvae_core::eval::Information",
    "icvae_core::eval::InformationBounds",
    "icvae_core::eval::ProbeConfig",
    "icvae_core::eval::Projection",
    "icvae_core::eval::Reader",
    "icvae_core::eval::Reading",
    "icvae_core::eval::Remapped",
    "icvae_core::eval::Report",
    "icvae_core::eval::TsneConfig",
    "icvae_core::eval::code_length",
    "icvae_core::eval::entropy",
    "icvae_core::eval::fresh_discriminator",
    "icvae_core::eval::group_gaps",
    "icvae_core::eval::information_bounds",
    "icvae_core::eval::ink",
    "icvae_core::eval::mixture_information",
    "icvae_core::eval::pca",
    "icvae_core::eval::prior_grid",
    "icvae_core::eval::probe",
    "icvae_core::eval::probe_accuracy",
    "icvae_core::eval::probes",
    "icvae_core::eval::remap",
    "icvae_core::eval::remapped",
    "icvae_core::eval::report",
    "icvae_core::eval::shuffled_labels",
    "icvae_core::eval::slant",
    "icvae_core::eval::tsne",
    "icvae_core::loss::VARIANCE_FLOOR",
    "icvae_core::loss::bernoulli_nll",
    "icvae_core::loss::discriminator_loss",
    "icvae_core::loss::echo_rate",
    "icvae_core::loss::entropy_penalty",
    "icvae_core::loss::gaussian_nll",
    "icvae_core::loss::marginal_bound",
    "icvae_core::loss::mixture_lower",
    "icvae_core::loss::mixture_upper",
    "icvae_core::loss::pairwise_kl",
    "icvae_core::loss::prior_kl",
    "icvae_core::loss::squared_error",
    "icvae_core::loss::table_nll",
    "icvae_core::loss::taken_for_code",
    "icvae_core::loss::taken_for_prior",
    "icvae_core::loss::total",
    "icvae_core::manual_seed",
    "icvae_core::model::Activation",
    "icvae_core::model::AdversarialAutoencoder",
    "icvae_core::model::AdversarialConfig",
    "icvae_core::model::Censored",
    "icvae_core::model::CensoredConfig",
    "icvae_core::model::Decoder",
    "icvae_core::model::Dense",
    "icvae_core::model::DenseStack",
    "icvae_core::model::Echo",
    "icvae_core::model::EchoCode",
    "icvae_core::model::EchoConfig",
    "icvae_core::model::Game",
    "icvae_core::model::Gaussian",
    "icvae_core::model::GaussianEncoder",
    "icvae_core::model::Icvae",
    "icvae_core::model::IcvaeConfig",
    "icvae_core::model::InvariantPredictor",
    "icvae_core::model::Likelihood",
    "icvae_core::model::PredictorConfig",
    "icvae_core::model::PredictorTerms",
    "icvae_core::model::Prior",
    "icvae_core::model::StackConfig",
    "icvae_core::model::Terms",
    "icvae_core::model::batch_norm",
    "icvae_core::model::dense",
    "icvae_core::model::fold_batch_norm",
    "icvae_core::no_grad",
    "icvae_core::notebook::AnyWidget",
    "icvae_core::notebook::Bundle",
    "icvae_core::notebook::Button",
    "icvae_core::notebook::Checkbox",
    "icvae_core::notebook::Choice",
    "icvae_core::notebook::DisplayHandle",
    "icvae_core::notebook::Html",
    "icvae_core::notebook::Layers",
    "icvae_core::notebook::Playground",
    "icvae_core::notebook::Progress",
    "icvae_core::notebook::Rich",
    "icvae_core::notebook::Shown",
    "icvae_core::notebook::Slider",
    "icvae_core::notebook::Text",
    "icvae_core::notebook::TrainingView",
    "icvae_core::notebook::any_widget",
    "icvae_core::notebook::button",
    "icvae_core::notebook::checkbox",
    "icvae_core::notebook::choice",
    "icvae_core::notebook::clear_output",
    "icvae_core::notebook::display",
    "icvae_core::notebook::interrupted",
    "icvae_core::notebook::show",
    "icvae_core::notebook::show_images",
    "icvae_core::notebook::slider",
    "icvae_core::notebook::tell_interrupted",
    "icvae_core::notebook::text",
    "icvae_core::plot::Animation",
    "icvae_core::plot::Area",
    "icvae_core::plot::Backend",
    "icvae_core::plot::CLASS_COLORS",
    "icvae_core::plot::ColorMap",
    "icvae_core::plot::Curves",
    "icvae_core::plot::Figure",
    "icvae_core::plot::Heatmap",
    "icvae_core::plot::Histogram",
    "icvae_core::plot::ImageGrid",
    "icvae_core::plot::LINE_COLORS",
    "icvae_core::plot::Points",
    "icvae_core::plot::Rgb",
    "icvae_core::plot::Scatter",
    "icvae_core::plot::figure",
    "icvae_core::plotters",
    "icvae_core::seeded",
    "icvae_core::serde_json",
    "icvae_core::tch",
    "icvae_core::train::Adam",
    "icvae_core::train::AdamConfig",
    "icvae_core::train::Checkpoint",
    "icvae_core::train::Control",
    "icvae_core::train::EarlyStopping",
    "icvae_core::train::Ended",
    "icvae_core::train::EpochRecord",
    "icvae_core::train::EpsilonConvention",
    "icvae_core::train::Event",
    "icvae_core::train::History",
    "icvae_core::train::Listener",
    "icvae_core::train::Losses",
    "icvae_core::train::Model",
    "icvae_core::train::Optimizer",
    "icvae_core::train::OptimizerConfig",
    "icvae_core::train::Outcome",
    "icvae_core::train::ReduceOnPlateau",
    "icvae_core::train::RmsProp",
    "icvae_core::train::RmsPropConfig",
    "icvae_core::train::RunState",
    "icvae_core::train::Schedule",
    "icvae_core::train::Sgd",
    "icvae_core::train::SgdConfig",
    "icvae_core::train::StopReason",
    "icvae_core::train::Store",
    "icvae_core::train::TensorBoard",
    "icvae_core::train::TermMeans",
    "icvae_core::train::TrainConfig",
    "icvae_core::train::Trainer",
    "icvae_core::train::Turn",
    "icvae_core::train::WeightDecay",
    "icvae_core::train::evaluate",
    "icvae_core::train::step_seed",
    "icvae_core::write_whole",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn what_is_missing_is_found() {
        let found = Some("icvae_core::plot::Histogram");
        assert_eq!(path("cannot find type `Histogram` in this scope"), found);
        assert_eq!(
            path("failed to resolve: use of undeclared type `Histogram`"),
            found
        );
        assert_eq!(path("cannot find type `Nothing` in this scope"), None);
        assert_eq!(path("the type `Histogram` is wrong"), None);
    }

    fn leaves(tree: &syn::UseTree, found: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => leaves(&path.tree, found),
            syn::UseTree::Name(name) => found.push(name.ident.to_string()),
            syn::UseTree::Rename(name) => found.push(name.rename.to_string()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, found)),
            _ => {}
        }
    }

    #[test]
    fn the_table_is_what_the_library_re_exports() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../icvae-core/src");
        let mut expected = BTreeSet::new();
        for (module, file) in [
            ("", "lib.rs"),
            ("data::", "data/mod.rs"),
            ("eval::", "eval/mod.rs"),
            ("loss::", "loss/mod.rs"),
            ("model::", "model/mod.rs"),
            ("notebook::", "notebook/mod.rs"),
            ("plot::", "plot/mod.rs"),
            ("train::", "train/mod.rs"),
        ] {
            let text = std::fs::read_to_string(sources.join(file)).expect("the library's sources");
            for item in syn::parse_file(&text).expect("Rust").items {
                if let syn::Item::Use(item) = item
                    && matches!(item.vis, syn::Visibility::Public(_))
                {
                    let mut names = Vec::new();
                    leaves(&item.tree, &mut names);
                    expected.extend(
                        names
                            .iter()
                            .map(|name| format!("icvae_core::{module}{name}")),
                    );
                }
            }
        }
        let table: BTreeSet<String> = NAMES.iter().map(|&path| path.to_owned()).collect();
        assert_eq!(table, expected, "bring the table up to date");
    }
}
