"""English."""

from usance.apps.messaging.texts import Text

SIGNATURE = "{lender}\n{support_phone} · {support_email}"

# what a lock screen may show to anybody who passes by: no amount, no date, nothing of the loan
PUSH = {
    "reminder": "You have a payment soon. Open to see it.",
    "collection": "Please look at your account.",
}

TEXTS = {
    "code_sign_in": Text(
        "{code} is your code to sign in at {lender}. Good for {minutes} minutes. Never tell it to anyone.",
        "Your code to sign in",
    ),
    "code_signing": Text(
        "{code} signs your agreement for {amount_minor:money} with {lender}. Good for {minutes} "
        "minutes. Never tell it to anyone.",
        "Your code to sign the agreement",
    ),
    "code_contact": Text(
        "{code} confirms this contact at {lender}. Good for {minutes} minutes. Never tell it to anyone.",
        "Your code to confirm this address",
    ),
    "code_part": Text(
        "{code} asks {lender} to send another {amount_minor:money} of your loan to card {card}. Good for {minutes} "
        "minutes. Never tell it to anyone.",
        "Your code to ask for another part",
    ),
    "application_received": Text(
        "{lender}: we received your application {reference} and are looking at it.",
        "We received your application {reference}",
        "We received your application {reference} and are looking at it. You can close the page: we will write "
        "to you as soon as there is a decision.",
    ),
    "application_declined": Text(
        "{lender}: we cannot lend on application {reference}. Reason: {reason}",
        "Our decision on application {reference}",
        "We are sorry: we cannot lend on your application {reference}.\n\nThe reason: {reason}\n\nYou may ask "
        "for a person to look at it again: answer this letter or call us.",
    ),
    "application_approved": Text(
        "{lender}: application {reference} is approved for {amount_minor:money}. See the offer and sign: {link}",
        "Your application {reference} is approved",
        "Your application {reference} is approved for {amount_minor:money}.\n\nLook at the offer and sign it "
        "here: {link}",
    ),
    "application_asked": Text(
        "{lender}: we need something more for application {reference}. Please look: {link}",
        "We need something more for application {reference}",
        "To decide on your application {reference} we need something more from you. What it is, you see here: {link}",
    ),
    "money_sent": Text(
        "{lender}: {amount_minor:money} is on your card {card}. Loan {reference}, pay back by {due_on:date}.",
        "Your money is on its way",
        "We sent {amount_minor:money} to your card {card}.\n\nLoan {reference}. Your next payment is due on "
        "{due_on:date}.",
    ),
    "payout_failed": Text(
        "{lender}: your bank did not take {amount_minor:money} for loan {reference}. You owe nothing for it. "
        "Please choose a card: {link}",
        "The money could not be sent",
        "Your bank did not take the {amount_minor:money} of loan {reference}. You owe nothing for it.\n\nPlease "
        "choose another card, or try again: {link}",
    ),
    "part_not_paid_out": Text(
        "{lender}: the {amount_minor:money} of loan {reference} that you asked for is not paid out. Why, and what you "
        "can do: {link}",
        "The part that you asked for is not paid out",
        "The {amount_minor:money} of loan {reference} that you asked for is not paid out. Nothing about your loan "
        "changes.\n\nWhy, and what you can do: {link}",
    ),
    "payment_received": Text(
        "{lender}: we received {amount_minor:money} for loan {reference}. Left to pay: {outstanding_minor:money}.",
        "We received your payment",
        "We received {amount_minor:money} for loan {reference}. Thank you.\n\nLeft to pay: {outstanding_minor:money}.",
    ),
    "payment_failed": Text(
        "{lender}: the payment of {amount_minor:money} for loan {reference} did not go through. Try again: {link}",
        "Your payment did not go through",
        "The payment of {amount_minor:money} for loan {reference} did not go through. No money was taken for "
        "it.\n\nYou can try again here: {link}",
    ),
    "card_debit_announced": Text(
        "{lender}: on {debit_on:date} we will debit {amount_minor:money} from card {card} for loan {reference}, "
        "unless you pay before.",
        "We will debit your card on {debit_on:date}",
        "As you allowed us, on {debit_on:date} we will debit {amount_minor:money} from your card {card} for "
        "loan {reference}, unless you pay before.",
    ),
    "due_in_3_days": Text(
        "{lender}: {amount_minor:money} for loan {reference} is due on {due_on:date}. Pay or extend: {link}",
        "A payment is due on {due_on:date}",
    ),
    "due_tomorrow": Text(
        "{lender}: reminder: {amount_minor:money} for loan {reference} is due on {due_on:date}. Pay or extend: {link}",
        "Reminder: a payment is due on {due_on:date}",
    ),
    "due_today": Text(
        "{lender}: today, {due_on:date}, {amount_minor:money} is due for loan {reference}. Pay or extend: {link}",
        "A payment is due today",
    ),
    "past_due": Text(
        "{lender}: loan {reference} is past due since {due_on:date}: {amount_minor:money} on {as_of:date}. Pay, "
        "or see what you can do: {link}",
        "A payment is past due",
        "The payment of loan {reference} is past due since {due_on:date}. On {as_of:date} it is "
        "{amount_minor:money}.\n\nPay here: {link}\n\nIf you cannot pay it all, the same page shows what else "
        "is possible, with its price.",
    ),
    "past_due_serious": Text(
        "{lender}: loan {reference} is past due since {due_on:date}: {amount_minor:money} on {as_of:date}. "
        "Please pay or call {support_phone}. {link}",
        "Your loan {reference} is long past due",
        "The payment of loan {reference} is past due since {due_on:date}. On {as_of:date} it is "
        "{amount_minor:money}.\n\nPlease pay, or call us so that we find a way together: "
        "{support_phone}\n\n{link}",
    ),
    "extension_made": Text(
        "{lender}: loan {reference} is extended. Now due on {due_on:date}: {amount_minor:money}.",
        "Your loan is extended",
    ),
    "extension_not_made": Text(
        "{lender}: we received {amount_minor:money} for loan {reference}, but its due date did not move: the loan had "
        "changed. It counts towards your debt. Left: {outstanding_minor:money}. {link}",
        "We received your payment; the due date did not move",
        "We received {amount_minor:money} for loan {reference}. The due date did not move: the loan or its price had "
        "changed by the time the money came. The whole amount counts towards what you owe.\n\nLeft to pay: "
        "{outstanding_minor:money}. What is due when, and what you can do: {link}",
    ),
    "extension_undone": Text(
        "{lender}: your bank took back {amount_minor:money} that moved the due date of loan {reference}. The date is "
        "the one of before again: {due_on:date}. {link}",
        "The due date is the one of before again",
    ),
    "charge_added": Text(
        "{lender}: {amount_minor:money} was added to what you owe for loan {reference}. To close it: "
        "{outstanding_minor:money}. See your loan: {link}",
        "An amount was added to what you owe",
        "We added {amount_minor:money} to what you owe for loan {reference}. Closing the loan now costs "
        "{outstanding_minor:money}.\n\nYour loan, with every entry: {link}\n\nIf you think it is a mistake, call us.",
    ),
    "debt_reduced": Text(
        "{lender}: we took {amount_minor:money} off what you owe for loan {reference}. To close it: "
        "{outstanding_minor:money}. {link}",
        "You owe less",
        "We took {amount_minor:money} off what you owe for loan {reference}. Closing the loan now costs "
        "{outstanding_minor:money}.\n\nYour loan: {link}",
    ),
    "dates_changed": Text(
        "{lender}: the payments of loan {reference} changed. Next: {amount_minor:money} by {due_on:date}. All dates: "
        "{link}",
        "Your payments changed",
        "The payments of loan {reference} changed. Your next payment is {amount_minor:money} by {due_on:date}.\n\nAll "
        "dates and amounts: {link}",
    ),
    "date_moved": Text(
        "{lender}: the due date of loan {reference} moved to {due_on:date}. The price of it is due now: "
        "{amount_minor:money}. {link}",
        "Your due date moved",
        "The due date of loan {reference} moved to {due_on:date}. What is due for it now: {amount_minor:money}.\n\nPay "
        "it here: {link}",
    ),
    "rate_changed": Text(
        "{lender}: loan {reference} has a different interest rate from {since:date}. Next payment: "
        "{amount_minor:money} by {due_on:date}. {link}",
        "The interest rate of your loan changed",
        "Loan {reference} has a different interest rate from {since:date}. Your next payment is {amount_minor:money} "
        "by {due_on:date}.\n\nYour loan, with all payments to come: {link}",
    ),
    "interest_paused": Text(
        "{lender}: loan {reference} bears no interest from {since:date}; from {until:date} on it does again. Next "
        "payment: {amount_minor:money} by {due_on:date}. {link}",
        "No interest for a while",
        "Loan {reference} bears no interest from {since:date}; from {until:date} on it does again. Your next payment "
        "is {amount_minor:money} by {due_on:date}.\n\nYour loan: {link}",
    ),
    "penalties_paused": Text(
        "{lender}: being late with loan {reference} costs nothing extra for now. Next payment: {amount_minor:money} by "
        "{due_on:date}. {link}",
        "No penalties for now",
        "Being late with loan {reference} costs nothing extra for now; we write to you before it does again. Your next "
        "payment is {amount_minor:money} by {due_on:date}.\n\nYour loan: {link}",
    ),
    "penalties_resumed": Text(
        "{lender}: being late with loan {reference} costs penalties again. To be paid: {amount_minor:money} by "
        "{due_on:date}. {link}",
        "Penalties count again",
        "From today on being late with loan {reference} costs penalties again, as agreed. To be paid: "
        "{amount_minor:money} by {due_on:date}.\n\nPay, or see what else is possible: {link}",
    ),
    "contract_ended": Text(
        "{lender}: we ended the contract of loan {reference}. All that you owe, {outstanding_minor:money}, is due on "
        "{due_on:date}. Pay, or see what is possible: {link}",
        "The contract of your loan was ended",
        "We ended the contract of loan {reference}. All that you owe, {outstanding_minor:money}, is due on "
        "{due_on:date}.\n\nPay it, or see what else is possible: {link}\n\nIf you cannot pay, call us: we will look "
        "for a way together.",
    ),
    "loan_corrected": Text(
        "{lender}: we corrected an entry of loan {reference}. To close it you now pay {outstanding_minor:money}. See "
        "your loan: {link}",
        "An entry of your loan was corrected",
        "We corrected an entry of loan {reference}. Closing the loan now costs {outstanding_minor:money}.\n\nYour "
        "loan, with every entry and all payments to come: {link}\n\nIf you think it is wrong, call us.",
    ),
    "stepped_back": Text(
        "{lender}: you stepped back from loan {reference}. Pay {amount_minor:money} by {due_on:date} and it is closed; "
        "earlier costs less. {link}",
        "You stepped back from your loan",
        "You stepped back from loan {reference}. Give back {amount_minor:money} by {due_on:date} and it is closed: "
        "that is the money with its interest until then, without the fees of the beginning. What you pay earlier costs "
        "less interest.\n\nPay here: {link}",
    ),
    "payment_too_much": Text(
        "{lender}: we received {amount_minor:money} for loan {reference}. {over_minor:money} is more than you owed: "
        "it is yours, have it sent back here: {link}",
        "You paid more than you owed",
        "We received {amount_minor:money} for loan {reference}. Nothing is owed on it any more.\n\n"
        "{over_minor:money} is more than you owed. It is yours and we keep it for you; have it sent back to your card "
        "here: {link}",
    ),
    "payment_taken_back": Text(
        "{lender}: your bank took back {amount_minor:money} that you had paid for loan {reference}. It is owed again. "
        "See what is due: {link}",
        "Your bank took a payment back",
        "Your bank took back {amount_minor:money} that you had paid for loan {reference}, so it is owed again.\n\nSee "
        "what is due, and pay it or see what else is possible, here: {link}\n\nIf you do not know why, ask your "
        "bank; if you think it is our mistake, call us.",
    ),
    "refund_sent": Text(
        "{lender}: {amount_minor:money} of loan {reference} went back to the card that it came from.",
        "Your money is on its way back",
    ),
    "refund_refused": Text(
        "{lender}: the bank did not take back {amount_minor:money} of loan {reference}. The money is still yours: "
        "try again or call {support_phone}. {link}",
        "Your money could not be sent back",
        "The bank did not take back {amount_minor:money} of loan {reference}. The money is still yours and we keep it "
        "for you.\n\nTry again here, or call us: {link}",
    ),
    "loan_closed": Text(
        "{lender}: loan {reference} is repaid, you owe nothing. Your letter: {link}",
        "Loan {reference} is repaid",
        "Loan {reference} is repaid. You owe nothing. Thank you.\n\nYour letter that says so, which anyone can "
        "verify: {link}",
    ),
    "loan_sold": Text(
        "{lender}: the debt of loan {reference} was sold to {buyer} on {sold_on:date}. From now on pay them: {contact}",
        "Your debt was sold to {buyer}",
        "On {sold_on:date} we sold the debt of loan {reference} to {buyer}. You owe it to them now, no more and no "
        "less than you owed us on that day, and pay them from now on.\n\nThey are reached here: {contact}\n\nWe ask "
        "you for nothing more. What you still pay us for this loan we send on to them. Your account: {link}",
    ),
    "sale_undone": Text(
        "{lender}: the sale of the debt of loan {reference} was undone. You pay us, as before: {link}",
        "Your loan is with us again",
        "We told you that the debt of loan {reference} was sold. That was undone: you pay us, as before. What you paid "
        "since counts for the loan.\n\nWhat is due: {link}",
    ),
    "payment_for_buyer": Text(
        "{lender}: we received {amount_minor:money} for loan {reference}. Its debt was sold: we send the money on to "
        "{buyer}.",
        "We received your payment and send it on",
        "We received {amount_minor:money} for loan {reference}. Its debt was sold to {buyer}, so we send the money on "
        "to them. Please pay them directly from now on.\n\nYour account: {link}",
    ),
    "payment_before_sale": Text(
        "{lender}: we received {amount_minor:money} for loan {reference}. You owe {buyer}, who bought the debt, so "
        "much less.",
        "We received your payment",
        "We received {amount_minor:money} for loan {reference}. It was paid before the debt was sold, so you owe "
        "{buyer}, who bought it, so much less. What is left you pay to them.\n\nYour account: {link}",
    ),
    "bill_ready": Text(
        "{lender}: your bill for loan {reference}: {amount_minor:money} by {due_on:date}. See it: {link}",
        "Your bill for loan {reference}",
        "Your bill for loan {reference} is here: {amount_minor:money} by {due_on:date}.\n\nWhat it is made of, and how "
        "to pay: {link}",
    ),
    "phone_changed": Text(
        "{lender}: your phone number changes to {phone} on {counts_from:moment}. Not you? Stop it: {link}",
        "Your phone number is about to change",
        "Your phone number changes to {phone} on {counts_from:moment}. Until then you sign in with the number "
        "before.\n\n"
        "If this was not you, stop it here: {link}\n\nOr call us: {support_phone}",
    ),
    "phone_counts": Text(
        "{lender}: this phone number is now that of your account. From now on you sign in with it.",
        "Your phone number is changed",
    ),
    "email_changed": Text(
        "{lender}: the e-mail address of your account was changed. If it was not you, call {support_phone} at once.",
        "Your e-mail address was changed",
    ),
    "card_changed": Text(
        "{lender}: card *{last4} was linked to your account. Money can go to it from {counts_from:moment}. Not you? "
        "Stop it: {link}",
        "A card was linked to your account",
        "Card *{last4} was linked to your account. Money can go to it from {counts_from:moment}; your card before "
        "works as it did.\n\nIf this was not you, stop it here: {link}\n\nOr call us: {support_phone}",
    ),
    "offer": Text(
        "{lender}: a new loan on better terms is ready for you: {link} To stop such messages, open the page and "
        "choose so.",
        "A new loan on better terms",
    ),
}
