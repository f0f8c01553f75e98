"""What a form says of records that look like the one being made."""

from crm_app.core.registry import Entity
from crm_app.services.customers.duplicates import Match


def alike_view(entity: Entity, match: Match) -> dict[str, str]:
    """Name, second line, why and address; of a record that may not be seen one sentence alone."""
    if match.id is None:
        what = match.reasons[0].removeprefix("same ")
        label = entity.label.lower()
        article = "An" if label[0] in "aeiou" else "A"
        sentence = f"{article} {label} with this {what} exists, which you may not see; ask an admin."
        return {"name": sentence, "detail": "", "why": "", "href": ""}
    return {
        "name": match.title,
        "detail": match.detail,
        "why": ", ".join(match.reasons),
        "href": f"/{entity.slug}/{match.id}",
    }
