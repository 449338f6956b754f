//! The life of what runs the cells, as the kernel knows it: evcxr starts, ends and starts anew; the
//! reader's process in it is there, or lost with the variables. What follows from that is decided
//! here, without a process or a socket; kernel.rs does it.

use super::errors::Report;

/// evcxr that ends again before it has run a cell is given up after so many starts.
pub const MOST_STARTS: u32 = 3;

/// What has become of evcxr and of the reader's process, and what the reader doesn't know of it yet.
#[derive(Debug)]
pub struct Life {
    /// Starts of evcxr since a cell was run.
    starts: u32,
    given_up: bool,
    /// Whether the reader's process was there when it was last looked for.
    attached: bool,
    /// What became of the variables while no cell ran, if something did.
    untold: Option<Report>,
}

/// What to do where evcxr has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    StartAnew,
    GiveUp,
}

/// What has become of the reader's process since it was last looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    There,
    /// It was there, and the variables are gone with it.
    Lost,
    /// It was not there yet.
    Missing,
}

/// What becomes of a cell.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    Runs,
    /// Somebody has interrupted it. What is untold is left to the next, and whether something is, is said.
    TakenBack {
        untold: bool,
    },
    /// It has to say what was lost before it, and would not find what it builds on.
    Refused(Report),
}

impl Life {
    /// evcxr is started for the first time.
    pub fn begun() -> Self {
        Self {
            starts: 1,
            given_up: false,
            attached: false,
            untold: None,
        }
    }

    /// evcxr has ended. While no cell ran, the next one has to tell; the one that ran tells by itself,
    /// of this and of all that was lost before.
    pub fn ended(&mut self, untold: Option<Report>) -> Next {
        self.untold = untold;
        self.attached = false;
        self.given_up |= self.starts >= MOST_STARTS;
        if self.given_up {
            return Next::GiveUp;
        }
        self.starts += 1;
        Next::StartAnew
    }

    /// The reader's process is looked for, to be attached if it is not there.
    pub fn look(&mut self, there: bool) -> Process {
        let before = std::mem::replace(&mut self.attached, there);
        match (before, there) {
            (_, true) => Process::There,
            (true, false) => Process::Lost,
            (false, false) => Process::Missing,
        }
    }

    /// What was found out about a process that was lost.
    pub fn lost(&mut self, report: Report) {
        self.untold = Some(report);
    }

    /// Whether the process is there now that all was done to attach it.
    pub fn attached(&mut self, there: bool) {
        self.attached = there;
    }

    /// A cell is to be run; the process has been looked for.
    pub fn turn(&mut self, taken_back: bool) -> Turn {
        if taken_back {
            return Turn::TakenBack {
                untold: self.untold.is_some(),
            };
        }
        self.untold.take().map_or(Turn::Runs, Turn::Refused)
    }

    /// A cell was run, and has told what became of the process meanwhile.
    pub fn ran(&mut self, there: bool) {
        self.starts = 0;
        self.attached = there;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::cases;
    use proptest::prelude::*;

    fn report(why: &str) -> Report {
        Report::new("Crash", why)
    }

    #[test]
    fn evcxr_is_started_three_times_and_then_given_up_for_good() {
        let mut life = Life::begun();
        assert_eq!(life.ended(None), Next::StartAnew);
        assert_eq!(life.ended(None), Next::StartAnew);
        assert_eq!(life.ended(None), Next::GiveUp);
        life.ran(true);
        assert_eq!(life.ended(None), Next::GiveUp);
    }

    #[test]
    fn a_cell_that_was_run_makes_three_more_starts_possible() {
        let mut life = Life::begun();
        for _ in 0..10 {
            life.ran(true);
            for _ in 0..MOST_STARTS {
                assert_eq!(life.ended(None), Next::StartAnew);
            }
        }
        assert_eq!(life.ended(None), Next::GiveUp);
    }

    #[test]
    fn a_process_is_lost_once_and_missing_before_it_was_there() {
        let mut life = Life::begun();
        assert_eq!(life.look(false), Process::Missing);
        assert_eq!(life.look(true), Process::There);
        assert_eq!(life.look(false), Process::Lost);
        assert_eq!(life.look(false), Process::Missing);
        // The cell in which it ended has told of it; evcxr's end is told by itself.
        life.ran(false);
        assert_eq!(life.look(false), Process::Missing);
        life.attached(true);
        life.ended(None);
        assert_eq!(life.look(false), Process::Missing);
    }

    #[test]
    fn what_was_lost_is_told_by_the_next_cell_that_is_not_taken_back() {
        let mut life = Life::begun();
        life.lost(report("first"));
        assert_eq!(life.turn(true), Turn::TakenBack { untold: true });
        assert_eq!(life.turn(false), Turn::Refused(report("first")));
        assert_eq!(life.turn(false), Turn::Runs);
        assert_eq!(life.turn(true), Turn::TakenBack { untold: false });
        life.lost(report("a process"));
        life.ended(Some(report("all")));
        assert_eq!(life.turn(false), Turn::Refused(report("all")));
        // The cell that tells of evcxr's end tells of all that was lost.
        life.lost(report("a process"));
        life.ended(None);
        assert_eq!(life.turn(false), Turn::Runs);
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        /// Something else than a cell is asked; after it, the process is looked for.
        Request,
        Cell,
        /// A cell in which the process ends.
        Crash,
        /// A cell in which evcxr ends.
        EvcxrCrash,
        /// A cell for which the process is looked for, and over that evcxr ends.
        EvcxrCrashEarly,
        /// A cell that is interrupted before it begins.
        TakenBack,
        ProcessEnds,
        EvcxrEnds,
    }

    /// A world that does what it is told: what there is, and what the reader was told.
    #[derive(Debug)]
    struct World {
        life: Life,
        process: bool,
        /// Whether something was lost that no cell has told of.
        untold: bool,
        starts_in_a_row: u32,
        starts: u32,
        over: bool,
    }

    impl World {
        fn ended(&mut self, report: Option<Report>) {
            self.process = false;
            match self.life.ended(report) {
                Next::StartAnew => {
                    assert!(!self.over, "what was given up never starts again");
                    self.starts += 1;
                    self.starts_in_a_row += 1;
                }
                Next::GiveUp => self.over = true,
            }
            assert!(self.starts_in_a_row <= MOST_STARTS);
        }

        /// As the kernel does it, before each cell and after each request.
        fn attach(&mut self) {
            for _ in 0..2 {
                match self.life.look(self.process) {
                    Process::There => break,
                    Process::Lost => self.life.lost(report("the process")),
                    Process::Missing => {}
                }
                self.process = true;
            }
            self.life.attached(self.process);
        }

        fn cell(&mut self, step: Step) {
            self.attach();
            match self.life.turn(matches!(step, Step::TakenBack)) {
                Turn::TakenBack { untold } => {
                    assert!(matches!(step, Step::TakenBack));
                    assert_eq!(untold, self.untold);
                }
                Turn::Refused(_) => {
                    assert!(self.untold, "nothing is told twice");
                    self.untold = false;
                }
                Turn::Runs => {
                    assert!(!self.untold, "no cell runs where its variables are gone");
                    assert!(self.process, "no cell runs without a process");
                    match step {
                        Step::EvcxrCrash => return self.ended(None),
                        Step::Crash => self.process = false,
                        _ => {}
                    }
                    self.life.ran(self.process);
                    self.starts_in_a_row = 0;
                }
            }
            // Of a cell, too, the end is a request's.
            self.attach();
        }

        fn step(&mut self, step: Step) {
            match step {
                Step::Request => self.attach(),
                Step::ProcessEnds => {
                    // A process that was not attached yet held nothing.
                    self.untold |= self.process;
                    self.process = false;
                }
                Step::EvcxrEnds => {
                    self.untold = true;
                    self.ended(Some(report("evcxr")));
                }
                Step::EvcxrCrashEarly => {
                    if self.life.look(self.process) == Process::Lost {
                        self.life.lost(report("the process"));
                    }
                    // The cell says that all is gone.
                    self.untold = false;
                    self.ended(None);
                }
                cell => self.cell(cell),
            }
        }
    }

    proptest! {
        #![proptest_config(cases(500))]

        /// In whatever order things end and cells come: what is lost is told by the next cell, once;
        /// none runs without its variables, and evcxr is never started without end.
        #[test]
        fn all_that_is_lost_is_told_once(
            steps in prop::collection::vec(prop_oneof![
                2 => Just(Step::Request), 4 => Just(Step::Cell), 1 => Just(Step::Crash),
                1 => Just(Step::EvcxrCrash), 1 => Just(Step::EvcxrCrashEarly), 1 => Just(Step::TakenBack),
                2 => Just(Step::ProcessEnds), 2 => Just(Step::EvcxrEnds),
            ], 0..60),
        ) {
            let mut world = World {
                life: Life::begun(),
                process: false,
                untold: false,
                starts_in_a_row: 1,
                starts: 1,
                over: false,
            };
            for step in steps {
                world.step(step);
                if world.over {
                    // The kernel ends; nothing that is still heard of starts anything.
                    let starts = world.starts;
                    world.ended(None);
                    prop_assert_eq!(world.starts, starts);
                    break;
                }
            }
        }
    }
}
