"""What the demo workspace sells and how its people write: words only, no rules."""

WORKSPACE = "Meridian Intralogistics"
CURRENCY, TIME_ZONE = "EUR", "Europe/Berlin"

# Name, SKU, family, price in the workspace's currency, unit.
PRODUCTS = (
    ("Warehouse control, site licence", "WC-SITE", "Software", 28_500, "site"),
    ("Warehouse control, user licence", "WC-USER", "Software", 540, "user"),
    ("Yard management", "YM-100", "Software", 19_800, "site"),
    ("Dock scheduling", "DS-100", "Software", 12_400, "site"),
    ("Traceability and recall", "TR-100", "Software", 16_900, "site"),
    ("Pick-by-voice set", "PV-20", "Hardware", 1_480, "set"),
    ("Handheld scanner, rugged", "HS-7", "Hardware", 890, "piece"),
    ("Forklift terminal", "FT-12", "Hardware", 2_350, "piece"),
    ("Temperature sensor pack", "TS-50", "Hardware", 3_200, "pack"),
    ("Installation and configuration", "SV-INST", "Services", 1_250, "day"),
    ("Data migration", "SV-MIGR", "Services", 9_600, "project"),
    ("Training on site", "SV-TRAIN", "Services", 1_100, "day"),
    ("Support, business hours", "SP-STD", "Support", 5_900, "year"),
    ("Support, around the clock", "SP-247", "Support", 14_200, "year"),
)

COMPETITORS = (
    ("Logivant", "Broad suite, well-known name", "Long projects, dear changes"),
    ("PickRight Systems", "Strong voice picking", "No yard management"),
    ("Hallström WMS", "Cheap entry, fast start", "Weak with several sites"),
    ("DepotOne", "Runs fully hosted", "No offline mode at the dock"),
    ("Kistner Software", "Knows SAP shops well", "Old user interface"),
    ("Built in-house", "Fits like a glove", "Depends on two people"),
)

TAGS = (
    "multi-site",
    "SAP",
    "food",
    "pharma",
    "tender",
    "framework",
    "pilot",
    "expansion",
    "cold chain",
    "hosted",
    "referral",
)
SOURCES = (
    "Trade fair LogiMAT",
    "Website",
    "Referral",
    "Partner",
    "Cold call",
    "Webinar",
    "Existing customer",
    "Tender portal",
)
CAMPAIGNS = ("", "", "", "Spring roadshow", "Voice picking webinar", "Year-end upgrade")

NEW_TITLES = (
    "Warehouse control for the {place} site",
    "Voice picking, {shift}",
    "Yard management for {n} gates",
    "Replacement of the old WMS",
    "Cold-chain monitoring, {n} chambers",
    "Dock scheduling with carrier portal",
    "Batch traceability for the auditors",
    "Paperless goods receipt",
    "Stock counts by handheld, {n} devices",
    "Returns handling for the web shop",
    "Forklift terminals, {n} trucks",
    "New distribution centre {place}",
    "Roll-out to {n} depots",
    "Spare-parts store goes digital",
    "Slotting study and relaunch",
    "Pallet tracking with {n} gates",
    "Kitting line for assembly",
    "Dangerous-goods store",
    "Shop-floor replenishment",
    "Group template, phase {phase}",
    "Night-shift automation",
    "Kanban supply for {n} lines",
)
RENEWAL_TITLES = (
    "Support renewal {year}",
    "Licence renewal {year} with {n} more users",
    "Three-year support, price lock",
    "Upgrade to the hosted edition",
    "Renewal {year} and second site",
    "Support around the clock {year}",
)
PARTNER_TITLES = (
    "Joint offer with {partner}",
    "{partner}: rollout at a shared customer",
    "Scanner bundle through {partner}",
    "Integration project led by {partner}",
    "{partner} tender, our part",
)
PARTNERS = (
    "Norwerk Consulting",
    "Baltic Automation",
    "Studio Rossi Ingegneria",
    "Kestrel Integrators",
    "Atelier Numérique Sud",
)
SHIFTS = ("night shift", "early shift", "two shifts", "picking hall B", "frozen goods")

RENEWAL_STAGES = (("Coming up", 60, 45), ("In talks", 75, 30), ("Offer sent", 85, 21), ("Confirmed", 95, 14))
PARTNER_STAGES = (("Introduced", 15, 30), ("Joint plan", 35, 30), ("Offer", 55, 21), ("Partner approval", 80, 14))

# Subject, body; {first} is the contact, {title} the deal.
CALLS = (
    (
        "First call with {first}",
        "Wants to know what changes for the people on the floor. Sends the numbers of last year.",
    ),
    ("Call about the timeline", "Go-live has to be before the peak season. Two weeks of test run are enough for them."),
    ("{first} called back", "Purchasing asks for a second offer to compare. We stay in front on functions."),
    ("Short call, price", "8 % is what they hope for. I offered a third year of support instead."),
    ("Call with IT", "They want single sign-on and an interface to their ERP. Nothing we do not have."),
    ("Check-in with {first}", "The steering group meets on Thursday. No open questions from their side."),
    ("Call about the site visit", "We may bring two of our engineers. Safety shoes are theirs."),
)
CALL_OUTCOMES = ("Reached", "Reached", "Reached", "Left a message", "No answer")
EMAILS = (
    ("Documents for {title}", "Sent the data sheet, the reference list and the interface description."),
    ("Offer sent", "Offer with two variants: hosted and in their own data centre. Valid for 30 days."),
    ("Answers to the questionnaire", "All 64 questions answered, seven of them with a workaround."),
    ("Minutes of the meeting", "Sent the minutes with the list of open points and who takes care of each."),
    ("Reference visit proposed", "Three dates at a customer of the same size."),
    ("Revised price list", "Discount on hardware as agreed, services unchanged."),
)
MEETINGS = (
    ("Walk through the warehouse", "Two hours on site. Narrow aisles, good Wi-Fi, labels in three formats."),
    ("Demo for the team", "Showed receipt, picking and the mobile count. The shift leads liked the big buttons."),
    ("Workshop on processes", "Drew the flow from the dock to the shelf. Returns are the sore point."),
    ("Price meeting with purchasing", "Licences are settled, services are still open."),
    ("Project kick-off planned", "Went through plan, roles and risks."),
    ("Management presentation", "Business case shown: payback in 14 months. Questions about references."),
)
NOTES = (
    ("Who decides", "Operations wants it, finance signs. IT can stop it."),
    ("Budget", "Budget is in next year's plan, half of it may be used before."),
    ("Their situation", "The old system is out of support since spring and nobody dares to touch it."),
    ("Risk", "A second project wants the same people in the same months."),
    ("Competitor", "They saw a demo of another vendor and found it slow."),
)
PLANNED = (
    ("call", "Call {first} about the open points"),
    ("call", "Ask {first} for the decision"),
    ("email", "Send the revised offer"),
    ("email", "Send the interface description"),
    ("meeting", "Demo for the shift leads"),
    ("meeting", "Meeting with purchasing"),
    ("meeting", "Site visit"),
    ("task", "Prepare the business case"),
    ("task", "Clear the discount with Marta"),
)
NEXT_STEPS = (
    "Send the revised offer",
    "Name the decision maker",
    "Date for the site visit",
    "Agree on the discount",
    "Get the list of interfaces",
    "Steering group on Thursday",
    "Wait for the budget round",
    "Legal checks the contract",
)
WON_DETAILS = (
    "Signed after the reference visit.",
    "The pilot convinced the shift leads.",
    "Price was not the lowest, the plan was the clearest.",
    "Framework contract, first call-off.",
    "",
)
LOST_DETAILS = (
    "Decision went to the cheaper offer.",
    "The project was put off by a year.",
    "Their new IT head brought another vendor along.",
    "No answer since the last offer.",
    "They extend the old system for now.",
    "",
)
DESCRIPTIONS = (
    "About {n} picks a day in two shifts; labels and lists are still printed.",
    "The present system is 15 years old and runs on one server under a desk.",
    "They grew by an acquisition and now have two systems side by side.",
    "Wants one system for all sites, with a template that is copied from the first.",
    "",
)
STAKEHOLDER_NOTES = (
    "Wants a reference of the same size",
    "Knows us from a former employer",
    "Sceptical about the date",
    "",
)
