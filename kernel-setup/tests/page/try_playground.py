"""Draws ten digits in ten hands on a page's playground, as somebody with a mouse would, and says what came of it.

    python kernel-setup/tests/page/try_playground.py PAGE.html OUTPUT_FOLDER

It prints how often the model's nearest version is the digit that was drawn, how long a move of a stroke takes to become
a picture, and when the page shows its first text and the panel starts. The folder gets screenshots and a film's frames. It needs
playwright and a Chromium.
"""

import math
import shutil
import statistics
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def arc(x, y, rx, ry, start, end, steps=24):
    """Points of an ellipse around (x, y), angles in degrees, 0 to the right, 90 down."""
    angles = (math.radians(start + (end - start) * i / steps) for i in range(steps + 1))
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


# A digit is written in strokes, in a unit square with y down. Two ways for most of them.
ZERO = [[arc(0.5, 0.5, 0.26, 0.38, -90, 270)], [arc(0.5, 0.5, 0.2, 0.38, -60, 300)]]
ONE = [[[(0.5, 0.1), (0.5, 0.9)]], [[(0.34, 0.28), (0.55, 0.1), (0.55, 0.9)]]]
TWO = [
    [[*arc(0.48, 0.32, 0.24, 0.22, -170, 30), (0.22, 0.88), (0.8, 0.88)]],
    [[*arc(0.48, 0.32, 0.24, 0.22, -160, 60), *arc(0.36, 0.78, 0.12, 0.1, -40, -330), (0.8, 0.9)]],
]
THREE = [
    [[*arc(0.46, 0.3, 0.22, 0.2, -160, 90), *arc(0.46, 0.7, 0.25, 0.2, -90, 160)]],
    [[(0.25, 0.12), (0.7, 0.12), (0.45, 0.42), *arc(0.46, 0.66, 0.25, 0.24, -80, 150)]],
]
FOUR = [
    [[(0.3, 0.12), (0.25, 0.55), (0.78, 0.55)], [(0.65, 0.12), (0.65, 0.92)]],
    [[(0.62, 0.92), (0.62, 0.1), (0.2, 0.62), (0.85, 0.62)]],
]
FIVE = [
    [[(0.72, 0.12), (0.32, 0.12), (0.29, 0.45), *arc(0.45, 0.66, 0.26, 0.23, -110, 150)]],
    [[(0.34, 0.12), (0.3, 0.46), *arc(0.44, 0.68, 0.25, 0.22, -110, 140)], [(0.34, 0.12), (0.75, 0.1)]],
]
SIX = [
    [[(0.66, 0.1), (0.4, 0.35), *arc(0.48, 0.68, 0.22, 0.22, -190, 190)]],
    [[*arc(0.6, 0.45, 0.32, 0.36, -80, -180), *arc(0.47, 0.68, 0.2, 0.21, 180, 540)]],
]
SEVEN = [
    [[(0.2, 0.14), (0.78, 0.14), (0.45, 0.9)]],
    [[(0.22, 0.16), (0.76, 0.14), (0.42, 0.9)], [(0.34, 0.52), (0.7, 0.5)]],
]
EIGHT = [
    [[*arc(0.5, 0.3, 0.2, 0.19, 90, -270), *arc(0.5, 0.7, 0.24, 0.21, -90, 270)]],
    [[*arc(0.5, 0.31, 0.19, 0.2, -30, -210), *arc(0.5, 0.7, 0.22, 0.2, -60, 210), (0.66, 0.24)]],
]
NINE = [
    [[*arc(0.47, 0.32, 0.21, 0.21, 0, -360), (0.68, 0.32), (0.62, 0.9)]],
    [[*arc(0.47, 0.32, 0.21, 0.22, -20, -360), (0.68, 0.32), *arc(0.44, 0.66, 0.24, 0.25, 0, 130)]],
]
DIGITS = [ZERO, ONE, TWO, THREE, FOUR, FIVE, SIX, SEVEN, EIGHT, NINE]

# Slant, width, height, shift to the right and down, a tremble, and the pen: one row a hand.
HANDS = [
    (0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1),
    (0.25, 0.9, 1.0, 0.0, 0.0, 0.0, 1),
    (-0.2, 1.0, 0.9, 0.0, 0.0, 0.0, 1),
    (0.1, 0.6, 0.6, 0.15, -0.1, 0.0, 1),
    (0.0, 0.4, 0.4, -0.2, 0.2, 0.0, 0),
    (0.0, 1.1, 1.0, 0.0, 0.0, 0.02, 2),
    (0.4, 0.8, 1.0, 0.0, 0.0, 0.01, 0),
    (0.15, 1.2, 0.8, 0.0, 0.0, 0.0, 2),
    (-0.1, 0.7, 1.05, 0.0, 0.0, 0.02, 1),
    (0.2, 0.85, 0.85, -0.05, 0.05, 0.015, 2),
]


def written(digit, hand):
    """The strokes of a digit in a hand, in a unit square."""
    slant, width, height, right, down, tremble, _ = HANDS[hand]
    ways = DIGITS[digit]

    def moved(i, point):
        x, y = point[0] - 0.5, point[1] - 0.5
        x += tremble * math.sin(7 * i + 3 * hand)
        y += tremble * math.cos(5 * i + hand)
        x = x * width - slant * y
        return min(max(0.5 + x + right, 0.02), 0.98), min(max(0.5 + y * height + down, 0.02), 0.98)

    return [[moved(i, point) for i, point in enumerate(stroke)] for stroke in ways[hand % len(ways)]]


# A stroke of many moves by synthetic pointer events: from each move to the picture of it.
TIMED = """async ([strokes]) => {
  const root = document.querySelector('.icvae-playground'), pad = root.querySelector('.pad');
  const r = pad.getBoundingClientRect(), frame = () => new Promise(requestAnimationFrame);
  const send = (type, [x, y], buttons) => pad.dispatchEvent(new PointerEvent(type, {
    pointerId: 1, clientX: r.left + x * r.width, clientY: r.top + y * r.height, buttons, bubbles: true }));
  pad.setPointerCapture = () => {};
  const times = [], work = [];
  for (const [first, ...others] of strokes) {
    send('pointerdown', first, 1);
    await frame();
    for (const point of others) {
      const sent = performance.now();
      send('pointermove', point, 1);
      await frame();
      times.push(performance.now() - sent), work.push(root.playground.ms);
    }
    send('pointerup', others.at(-1), 0);
  }
  return [times, work];
}"""

# The mouse itself: from when the browser got a move to when the frame with its picture was done.
WATCHED = """() => {
  window.waits = [];
  document.querySelector('.icvae-playground .pad').addEventListener('pointermove', (move) => {
    if (move.buttons) requestAnimationFrame(() => setTimeout(() => window.waits.push(performance.now() - move.timeStamp)));
  }, true);
}"""

READY = """Object.defineProperty(HTMLDivElement.prototype, 'playground', {
  set(state) { this.state = state; requestAnimationFrame(() => requestAnimationFrame(() => { window.shown = performance.now(); })); },
  get() { return this.state; } });"""


def percentile(values, share):
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def main(page_file, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(READY)
        page.goto(Path(page_file).resolve().as_uri())
        while not page.evaluate("window.shown"):  # the page's policy refuses what wait_for_function evaluates later
            page.wait_for_timeout(20)
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
        loaded = page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive")
        shown = page.evaluate("window.shown")
        print(f"first text painted {paint:.0f} ms, page read {loaded:.0f} ms, panel drawn {shown:.0f} ms after the start")
        panel = page.locator(".icvae-playground")
        panel.scroll_into_view_if_needed()
        bar = panel.locator(".bar")
        models = panel.locator(".bar select").first.locator("option").all_text_contents()
        several = panel.locator("label", has_text="Model").count()
        times, work = [], []
        for number in range(len(models) if several else 1):
            if several:
                panel.locator(".bar select").first.select_option(index=number)
                print(f"model {models[number]}")
            right = 0
            for hand in range(len(HANDS)):
                row = ""
                for digit in range(10):
                    bar.get_by_role("button", name="Clear").click()
                    panel.locator("label", has_text="Pen").locator("select").select_option(index=HANDS[hand][6])
                    each, worked = page.evaluate(TIMED, [written(digit, hand)])
                    times += each
                    work += worked
                    read = panel.locator(".says").text_content()
                    # "The nearest of the 10 versions is 7."
                    nearest = int(read.split("is ")[1].split(".")[0]) if "nearest" in read else -1
                    right += nearest == digit
                    row += f" {nearest if nearest >= 0 else '-'}"
                    if number == 0:
                        panel.screenshot(path=folder / f"hand-{hand}-{digit}.png")
                print(f"  hand {hand}: drawn 0 1 2 3 4 5 6 7 8 9, nearest{row}")
            print(f"  the nearest version is the digit that was drawn: {right} of {10 * len(HANDS)}")
        page.evaluate(WATCHED)
        box = panel.locator(".pad").bounding_box()
        for digit in range(10):
            bar.get_by_role("button", name="Clear").click()
            for stroke in written(digit, 0):
                points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
                page.mouse.move(*points[0])
                page.mouse.down()
                for point in points[1:]:
                    page.mouse.move(*point)
                page.mouse.up()
        page.wait_for_timeout(200)
        for what, values in (
            ("by the mouse, from a move to its picture", page.evaluate("window.waits")),
            ("by events sent right after a frame, from a move to its picture", times), ("of it computing", work),
        ):  # fmt: skip
            print(f"{what}: median {statistics.median(values):.1f} ms, 95th percentile {percentile(values, 0.95):.1f} ms, {len(values)} moves")
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
