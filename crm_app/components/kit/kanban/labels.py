"""What the board says, on screen and to screen readers. Names in braces are filled in the browser."""

LABELS = {
    "board": "Board, {count} stages",
    "stages": "Stage",
    "column": "{stage}, {count} deals",
    "cards": "{stage} deals",
    "loading": "Loading deals",
    "empty_column": "No deals in this stage",
    "load_more": "Load more deals",
    "help": (
        "Arrow keys walk between deals. Space picks a deal up, arrow keys carry it, Space or Enter drops it, Escape"
        " puts it back. Enter opens, M shows the menu, X selects."
    ),
    # carrying and dragging
    "picked_up": "{title} picked up. {stage}, position {position} of {total}",
    "picked_up_many": "{count} deals picked up. {stage}",
    "over": "{title}, {stage}, position {position} of {total}",
    "over_many": "{count} deals, {stage}, position {position}",
    "moved": "{title}, moved to {stage}, position {position} of {total}",
    "moved_many": "{count} deals moved to {stage}, position {position}",
    "put_back": "{title}, put back",
    "edge": "No further",
    "saving": "saving",
    "still_saving": "The last move of this deal is still being saved",
    # closing
    "dock": "Close the dragged deal",
    "to_won": "Won",
    "to_lost": "Lost",
    "to_pipeline": "Other pipeline",
    # selection and menu
    "selected": "Selected",
    "selected_count": "{count} selected",
    "nothing_selected": "Nothing selected",
    "clear_selection": "Clear the selection",
    "menu_for": "Actions for {title}",
    "move_to": "Move to …",
    "move_to_stage": "Move to {stage}",
    "move_up": "Move up",
    "move_down": "Move down",
    "is_here": "It is in this stage",
    "is_first": "It is the first of this stage",
    "is_last": "It is the last of this stage",
    "open": "Open",
    "select": "Select",
    "unselect": "Unselect",
    # quick add
    "add": "Add deal",
    "add_to": "Add deal to {stage}",
    "cancel": "Cancel",
    "title": "Title",
    "amount": "Amount",
    "title_missing": "Give the deal a title",
    # no connection, no answer
    "retry": "Retry",
    "move_offline": "You are offline: “{title}” was not moved",
    "moves_offline": "You are offline: {count} deals were not moved",
    "move_silent": "The server did not answer: “{title}” was not moved",
    "moves_silent": "The server did not answer: {count} deals were not moved",
    "add_offline": "You are offline. Nothing was saved; your text is kept",
    "add_silent": "The server did not answer. Your text is kept; try again",
}
