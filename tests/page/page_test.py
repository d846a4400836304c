"""The pages, as a reader has them in a browser: what is drawn, what can be sorted, that all of it fits. Usage: page_test.py BIN"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import reports
from browser import Browser

BIN = sys.argv.pop()
HOSTILE = "/models/</script><script>window.broken = 1</script><img src=x onerror='window.broken = 1'>.gguf"
README = pathlib.Path(__file__).parents[2] / "bench" / "page" / "README.md"
SIZES = [(390, "dark"), (390, "light"), (1280, "light"), (1280, "dark")]

RUNS = [reports.run(model, kind, prompt, prefill_ns, token_ns)
        for model, kind, prompt, prefill_ns, token_ns in [
            ("smollm-135m", "Q4_K_M", 50, 80_000_000, 10_000_000), ("smollm-135m", "Q4_K_M", 200, 330_000_000, 11_000_000),
            ("smollm-135m", "Q8_0", 50, 90_000_000, 16_000_000), ("smollm-135m", "Q8_0", 200, 400_000_000, 17_000_000),
            (HOSTILE, "Q8_0", 50, 100_000_000, 5_000_000)]]
SLOWER = [reports.run("smollm-135m", "Q4_K_M", 50, 82_000_000, 15_000_000), reports.run("gpt2", "Q8_0")]


class Pages(unittest.TestCase):
    """All pages in one browser."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        cls.browser = cls.enterClassContext(Browser(cls.folder / "profile"))
        before, after = cls.folder / "before.json", cls.folder / "after.json"
        before.write_text(json.dumps(reports.report(RUNS)))
        after.write_text(json.dumps(reports.report(SLOWER)))
        cls.report = cls.make_page("report.html", before)
        cls.comparison = cls.make_page("comparison.html", before, after)
        single = cls.folder / "single.json"
        single.write_text(json.dumps(reports.report(RUNS[:1])))
        cls.single = cls.make_page("single.html", single)
        bare = {"runs": [{"model": "m", "phases": {}}]}
        single.write_text(json.dumps(bare))
        cls.bare = cls.make_page("bare.html", single)
        cls.study = cls.make_study()

    @classmethod
    def make_page(cls, name, *files):
        """What bench_report makes of these."""
        path = cls.folder / name
        subprocess.run([f"{BIN}/bench_report", *files, "--html", path], check=True, stdout=subprocess.DEVNULL)
        return path

    @classmethod
    def make_study(cls):
        """The JSON that the README shows, in the frame of a report."""
        data = re.search(r"```json\n(.*?)```", README.read_text(), re.DOTALL).group(1)
        page = cls.report.read_text().replace('data-kind="report"', 'data-kind="study"')
        start = page.index('id="data">') + len('id="data">')
        path = cls.folder / "study.html"
        path.write_text(page[:start] + data + page[page.index("</script>", start):])
        return path

    def show(self, page, width=1280, scheme="light"):
        """Opens a page; nothing may be amiss in the console."""
        self.browser.show(page, width, scheme=scheme)
        self.assertEqual(self.browser.console(), [])

    def texts(self, selector):
        """The text of each element."""
        return self.browser.run("return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent);", selector)

    def count(self, selector):
        """How many there are."""
        return self.browser.run("return document.querySelectorAll(arguments[0]).length;", selector)

    def click(self, text, within="body"):
        """The button of that text."""
        self.browser.run("[...document.querySelector(arguments[1]).querySelectorAll('button')]"
                         ".find((b) => b.textContent === arguments[0]).click();", text, within)

    def test_all_pages_fit_in_both_schemes(self):
        for page in (self.report, self.comparison, self.single, self.bare, self.study):
            for width, scheme in SIZES:
                with self.subTest(page=page.name, width=width, scheme=scheme):
                    self.show(page, width, scheme)
                    self.assertEqual(self.browser.run("return document.documentElement.scrollWidth;"), width)
                    cut = self.browser.run("""return [...document.querySelectorAll("svg text")].filter((t) => {
                        const box = t.getBoundingClientRect(), holder = t.closest(".sheet").getBoundingClientRect();
                        return box.width > 0 && (box.left < holder.left || box.right > holder.right + 1);
                      }).map((t) => t.textContent);""")
                    self.assertEqual(cut, [])

    def test_legends_take_a_line_or_three(self):
        for width in (390, 1280):
            self.show(self.report, width)
            heights = self.browser.run("return [...document.querySelectorAll('.legend')].map((e) => e.offsetHeight);")
            self.assertTrue(heights and max(heights) < 90, heights)

    def test_text_can_be_told_from_what_is_behind_it(self):
        contrast = """
            const channel = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            const light = (color) => {
              const [r, g, b] = color.match(/[0-9.]+/g).slice(0, 3).map((v) => channel(v / 255));
              return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
            const probe = document.body.appendChild(document.createElement("span"));
            const of = (name) => { probe.style.color = `var(--${name})`; return light(getComputedStyle(probe).color); };
            const ratio = ([x, y]) => (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
            return arguments[0].map(([a, b]) => ratio([of(a), of(b)]));"""
        fills = ["blue", "orange", "green", "ochre", "purple", "indigo", "teal", "rose", "grey"]
        pairs = [(text, ground) for text in ("ink", "quiet", "accent", "good", "bad") for ground in ("paper", "sheet")]
        pairs += [("on-fill", fill) for fill in fills]
        for scheme in ("light", "dark"):
            self.show(self.single, scheme=scheme)
            for pair, ratio in zip(pairs, self.browser.run(contrast, pairs)):
                self.assertGreaterEqual(ratio, 4.5, (scheme, pair))

    def test_the_toggle_wins_over_the_preference(self):
        def ground():
            return self.browser.run("return getComputedStyle(document.body).backgroundColor;")
        self.show(self.single, scheme="dark")
        dark = ground()
        self.click("Light", "header")
        self.assertNotEqual(ground(), dark)
        self.click("Dark", "header")
        self.assertEqual(ground(), dark)
        self.show(self.single, scheme="light")
        self.assertNotEqual(ground(), dark)
        self.click("Dark", "header")
        self.assertEqual(ground(), dark)
        self.assertEqual(self.texts("header button[aria-pressed=true]"), ["Dark"])

    def test_what_the_data_says_stays_text(self):
        self.show(self.report)
        self.assertIsNone(self.browser.run("return window.broken ?? null;"))
        self.assertEqual(self.count("img, i"), 0)
        self.assertIn(HOSTILE, self.texts("#runs tbody th"))
        self.assertIn("Some <i>CPU</i>", self.texts(".facts li"))

    def test_the_bars_are_as_long_as_what_they_show(self):
        self.show(self.report)
        widths = self.browser.run("""return [...document.querySelectorAll("#breakdown figure")].map((figure) =>
            [...figure.querySelectorAll("[data-name=ffn] rect")].map((rect) => rect.getBoundingClientRect().width + 1));""")
        self.assertEqual([len(phase) for phase in widths], [len(RUNS), len(RUNS)])
        for phase, name in zip(widths, ("prefill", "decode")):
            times = [run["phases"][name]["components"]["ffn"]["ns"] for run in RUNS]
            for width, time in zip(phase, times):
                self.assertAlmostEqual(width / max(phase), time / max(times), delta=0.01)
        self.assertIn("80.0 ms", self.texts("#breakdown figure:first-child text.strong"))
        self.assertIn("10.0 ms", self.texts("#breakdown figure:last-child text.strong"))
        self.click("Operations", "#breakdown")
        self.browser.wait_for_charts()
        self.assertEqual(self.count("#breakdown [data-name=barrier_wait]"), 2 * len(RUNS))
        self.click("Share", "#breakdown")
        self.browser.wait_for_charts()
        full = self.browser.run("""return [...document.querySelectorAll("#breakdown [data-name=norm] rect")]
            .map((rect) => Math.round(rect.getBoundingClientRect().width));""")
        self.assertEqual(len(set(full)), 1)

    def test_each_layer_and_operation_has_a_cell(self):
        self.show(self.single)
        self.assertEqual(self.count("rect.heat"), 2 * 3 * reports.N_LAYERS)
        self.assertEqual(len(self.texts("[data-name='lm_head.mul_mat_vec']")), 1)
        self.assertIn("layer 0, ffn.mul_mat_vec: 667 µs a token, 6.7 %", self.texts("rect.heat title"))

    def test_a_mark_says_its_numbers(self):
        self.show(self.single)
        self.browser.run("document.querySelector('rect.heat').dispatchEvent(new Event('pointerenter'));")
        self.assertIn("layer 0, attention.norm: 13.3 µs a token, 0.8 %", self.texts(".readout"))

    def test_the_roofline_has_roofs_and_points(self):
        self.show(self.single)
        self.assertEqual(self.count("[data-name=roofs] path"), 3)
        titles = [title for title in self.texts("#detail figure title") if "of the roof" in title]
        self.assertEqual(len(titles), 2 * len(reports.COMPONENTS))
        self.assertIn("decode, ffn: 2.00 operations per byte, 40.0 GOP/s, 20.0 GB/s, 50.0 % of the roof", titles)
        self.assertIn("int8 900 GOP/s", self.texts("#detail text"))

    def test_a_curve_for_each_type(self):
        self.show(self.report)
        names = self.browser.run("""return [...document.querySelectorAll("#curves figure")].map((figure) =>
            [figure.querySelector("figcaption").textContent, figure.querySelectorAll("g[data-name] .mark").length]);""")
        self.assertEqual(names[0], ["smollm-135m: time to first token", 4])
        self.assertEqual(len(names), 4)

    def test_memory_is_predicted_and_measured(self):
        self.show(self.single)
        text = " ".join(self.texts("#detail svg text"))
        for expected in ("predicted", "103 MB", "the process, resident", "110 MB", "131,072 positions", "4.03 GB"):
            self.assertIn(expected, text)
        page = self.browser.run("return document.body.innerText;")
        for expected in ("Hardware counters: not available: the kernel forbids it.", "no RAPL here", "p90 11.0 ms, p99 13.0 ms",
                         "opening 150 ms", "Clock meanwhile", "0.1 % .. 0.9 %"):
            self.assertIn(expected, page)

    def test_tables_are_sorted_by_mouse_and_keyboard(self):
        self.show(self.report)
        decode = "Decode [tokens/s]"
        column = self.texts("#runs thead th").index(decode)

        def values():
            return [float(text) for text in self.texts(f"#runs tbody tr > :nth-child({column + 1})")]
        unsorted = values()
        self.click(decode, "#runs")
        self.assertEqual(values(), sorted(unsorted, reverse=True))
        self.assertEqual(self.texts("#runs th[aria-sort=descending]"), [decode])
        self.browser.run("document.querySelectorAll('#runs thead button')[arguments[0]].focus();", column)
        self.browser.press("\ue007")
        self.assertEqual(values(), sorted(unsorted))
        self.assertEqual(self.texts("#runs th[aria-sort]"), [decode])
        self.click("Model", "#runs")
        models = self.texts("#runs tbody th")
        self.assertEqual(models, sorted(models))

    def test_another_run_can_be_chosen(self):
        self.show(self.report)
        self.assertIn("80.0ms", self.texts("#detail dd.value"))
        self.browser.run("const s = document.querySelector('#detail select'); s.value = 3; s.dispatchEvent(new Event('change'));")
        self.assertIn("400ms", self.texts("#detail dd.value"))

    def test_a_comparison_knows_noise(self):
        self.show(self.comparison)
        self.assertEqual(self.count("#summary tbody tr"), 1)
        row = self.texts("#summary tbody tr > *")
        self.assertEqual(row[3:], ["+2.5 %, within noise", "+2.5 %, within noise", "+50.0 %, slower"])
        self.assertEqual(self.count("#times path.whisker"), 4)
        self.assertEqual(self.count("#unmatched tbody tr"), 5)
        ffn = self.browser.run("""return [...document.querySelectorAll("#detail tbody tr")].map((row) => [...row.children]
            .map((cell) => cell.textContent)).filter(([name, phase]) => name === "ffn" && phase === "decode");""")
        self.assertEqual(ffn, [["ffn", "decode", "component", "5.00 ms", "7.50 ms", "+50.0 %, slower"]])

    def test_a_study_shows_what_its_readme_says(self):
        self.show(self.study)
        self.assertEqual(self.texts("h1"), ["Quantization and the length of the prompt"])
        self.assertEqual(self.texts("#findings tbody .verdict"), ["✓ agrees"])
        self.assertEqual(self.count("#charts figure"), 4)
        self.assertIn("what the point is: published [ms] 1.5, here [ms] 2.50", self.texts("#charts title"))
        self.assertEqual(self.texts("#tables tbody td"), ["11.4", "–"])

    def test_everything_has_a_name(self):
        for page in (self.report, self.comparison, self.study):
            self.show(page)
            nameless = self.browser.run("""return [
                ...[...document.querySelectorAll("button, summary, th")].filter((e) => e.textContent.trim() === ""),
                ...[...document.querySelectorAll("select")].filter((e) => e.labels.length === 0),
                ...[...document.querySelectorAll("svg[role=img], [role=region], [role=group], table")]
                  .filter((e) => !e.getAttribute("aria-label")),
                ...[...document.querySelectorAll("figure")].filter((e) => !e.querySelector("details table")),
              ].map((e) => e.outerHTML.slice(0, 200));""")
            self.assertEqual(nameless, [])
            self.assertEqual(self.count("main, h1"), 2)


if __name__ == "__main__":
    unittest.main(verbosity=1)
