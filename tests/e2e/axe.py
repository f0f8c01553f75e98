"""axe-core, and the rules that every page keeps."""

from pathlib import Path

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
ALL = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async rules => {
  const found = await axe.run(document, {runOnly: rules, resultTypes: ["violations"]});
  return found.violations.flatMap(v => v.nodes.map(
    n => `${v.id}: ${n.target.join(" ")}: ${(n.failureSummary || v.help).replace(/\\s+/g, " ")}`));
}"""
