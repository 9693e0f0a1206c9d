"""Views of Slack as small as they can be: a form with one field, and a home tab."""

MODAL = {
    "type": "modal",
    "callback_id": "send",
    "title": {"type": "plain_text", "text": "Send"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "text",
            "label": {"type": "plain_text", "text": "Text"},
            "element": {"type": "plain_text_input", "action_id": "value", "initial_value": "hi"},
        }
    ],
}
HOME = {"type": "home", "blocks": [{"type": "divider"}]}
