"""Ukrainian."""

from usance.apps.messaging.texts import Text

SIGNATURE = "{lender}\n{support_phone} · {support_email}"

# what a lock screen may show to anybody who passes by: no amount, no date, nothing of the loan
PUSH = {
    "reminder": "Скоро ваш платіж. Відкрийте, щоб переглянути.",
    "collection": "Будь ласка, загляньте до свого кабінету.",
}

TEXTS = {
    "code_sign_in": Text(
        "{code} – код для входу, {lender}. Діє {minutes} хв. Нікому його не кажіть.",
        "Ваш код для входу",
    ),
    "code_signing": Text(
        "{code} – код для підпису договору на {amount_minor:money}, {lender}. Діє {minutes} хв. Нікому його не кажіть.",
        "Ваш код для підпису договору",
    ),
    "code_contact": Text(
        "{code} – код підтвердження контакту, {lender}. Діє {minutes} хв. Нікому його не кажіть.",
        "Ваш код для підтвердження адреси",
    ),
    "code_part": Text(
        "{code} – код, щоб попросити ще {amount_minor:money} за кредитом на картку {card}, {lender}. Діє {minutes} хв. "
        "Нікому його не кажіть.",
        "Ваш код, щоб попросити ще одну частину",
    ),
    "application_received": Text(
        "{lender}: ми отримали вашу заявку {reference} і розглядаємо її.",
        "Ми отримали вашу заявку {reference}",
        "Ми отримали вашу заявку {reference} і розглядаємо її. Сторінку можна закрити: щойно буде рішення, ми "
        "вам напишемо.",
    ),
    "application_declined": Text(
        "{lender}: ми не можемо надати кредит за заявкою {reference}. Причина: {reason}",
        "Наше рішення за заявкою {reference}",
        "На жаль, ми не можемо надати кредит за вашою заявкою {reference}.\n\nПричина: {reason}\n\nВи можете "
        "попросити, щоб її ще раз розглянула людина: дайте відповідь на цей лист або зателефонуйте нам.",
    ),
    "application_approved": Text(
        "{lender}: заявку {reference} схвалено на {amount_minor:money}. Пропозиція та підпис: {link}",
        "Вашу заявку {reference} схвалено",
        "Вашу заявку {reference} схвалено на {amount_minor:money}.\n\nПерегляньте пропозицію та підпишіть її "
        "тут: {link}",
    ),
    "application_asked": Text(
        "{lender}: для заявки {reference} нам потрібно ще дещо. Перегляньте: {link}",
        "Для заявки {reference} потрібно ще дещо",
        "Щоб ухвалити рішення за вашою заявкою {reference}, нам потрібно від вас ще дещо. Що саме – тут: {link}",
    ),
    "money_sent": Text(
        "{lender}: {amount_minor:money} на вашій картці {card}. Кредит {reference}, сплатити до {due_on:date}",
        "Гроші надіслано",
        "Ми надіслали {amount_minor:money} на вашу картку {card}.\n\nКредит {reference}. Найближчий платіж – до "
        "{due_on:date}",
    ),
    "payout_failed": Text(
        "{lender}: ваш банк не прийняв {amount_minor:money} за кредитом {reference}. Ви за нього нічого не "
        "винні. Оберіть картку: {link}",
        "Не вдалося надіслати гроші",
        "Ваш банк не прийняв {amount_minor:money} за кредитом {reference}. Ви за нього нічого не "
        "винні.\n\nОберіть іншу картку або спробуйте ще раз: {link}",
    ),
    "part_not_paid_out": Text(
        "{lender}: {amount_minor:money} за кредитом {reference}, про які ви просили, не виплачено. Чому та що можна "
        "зробити: {link}",
        "Частину, про яку ви просили, не виплачено",
        "{amount_minor:money} за кредитом {reference}, про які ви просили, не виплачено. У вашому кредиті нічого не "
        "змінюється.\n\nЧому та що можна зробити: {link}",
    ),
    "payment_received": Text(
        "{lender}: отримано {amount_minor:money} за кредитом {reference}. Залишилося: {outstanding_minor:money}.",
        "Ми отримали ваш платіж",
        "Ми отримали {amount_minor:money} за кредитом {reference}. Дякуємо.\n\nЗалишилося сплатити: "
        "{outstanding_minor:money}.",
    ),
    "payment_failed": Text(
        "{lender}: платіж {amount_minor:money} за кредитом {reference} не пройшов. Спробуйте ще раз: {link}",
        "Ваш платіж не пройшов",
        "Платіж {amount_minor:money} за кредитом {reference} не пройшов. Гроші за нього не "
        "списано.\n\nСпробувати ще раз можна тут: {link}",
    ),
    "card_debit_announced": Text(
        "{lender}: {debit_on:date} ми спишемо {amount_minor:money} з картки {card} за кредитом {reference}, "
        "якщо ви не сплатите раніше.",
        "Списання з вашої картки: {debit_on:date}",
        "Як ви й дозволили, {debit_on:date} ми спишемо {amount_minor:money} з вашої картки {card} за кредитом "
        "{reference}, якщо ви не сплатите раніше.",
    ),
    "due_in_3_days": Text(
        "{lender}: {due_on:date} – строк платежу {amount_minor:money} за кредитом {reference}. Сплатити або "
        "продовжити: {link}",
        "Строк платежу: {due_on:date}",
    ),
    "due_tomorrow": Text(
        "{lender}: нагадуємо: {due_on:date} – строк платежу {amount_minor:money} за кредитом {reference}. "
        "Сплатити або продовжити: {link}",
        "Нагадування: строк платежу {due_on:date}",
    ),
    "due_today": Text(
        "{lender}: сьогодні, {due_on:date}, строк платежу {amount_minor:money} за кредитом {reference}. "
        "Сплатити або продовжити: {link}",
        "Сьогодні строк платежу",
    ),
    "past_due": Text(
        "{lender}: кредит {reference} прострочено, строк був {due_on:date}. До сплати на {as_of:date}: "
        "{amount_minor:money}. Сплатити або переглянути варіанти: {link}",
        "Платіж прострочено",
        "Строк платежу за кредитом {reference} минув: {due_on:date}. До сплати на {as_of:date}: "
        "{amount_minor:money}.\n\nСплатити тут: {link}\n\nЯкщо не можете сплатити все, на тій самій сторінці "
        "показано інші можливості з їхньою ціною.",
    ),
    "past_due_serious": Text(
        "{lender}: кредит {reference} прострочено, строк був {due_on:date}. До сплати на {as_of:date}: "
        "{amount_minor:money}. Сплатіть або зателефонуйте {support_phone}. {link}",
        "Кредит {reference} давно прострочено",
        "Строк платежу за кредитом {reference} минув: {due_on:date}. До сплати на {as_of:date}: "
        "{amount_minor:money}.\n\nСплатіть або зателефонуйте нам, щоб разом знайти вихід: "
        "{support_phone}\n\n{link}",
    ),
    "extension_made": Text(
        "{lender}: кредит {reference} продовжено. Новий строк {due_on:date}, до сплати {amount_minor:money}.",
        "Ваш кредит продовжено",
    ),
    "extension_not_made": Text(
        "{lender}: отримано {amount_minor:money} за кредитом {reference}, але строк не змінився: кредит уже інший. "
        "Сума йде в рахунок боргу. Залишилося: {outstanding_minor:money}. {link}",
        "Ми отримали платіж; строк не змінився",
        "Ми отримали {amount_minor:money} за кредитом {reference}. Строк не змінився: поки надійшли гроші, кредит або "
        "ціна продовження стали іншими. Уся сума йде в рахунок вашого боргу.\n\nЗалишилося сплатити: "
        "{outstanding_minor:money}. Що і коли сплачувати та що ще можна зробити: {link}",
    ),
    "extension_undone": Text(
        "{lender}: ваш банк відкликав {amount_minor:money} за перенесення дати платежу за кредитом {reference}. Знову "
        "діє попередня дата: {due_on:date}. {link}",
        "Знову діє попередня дата платежу",
    ),
    "charge_added": Text(
        "{lender}: ваш борг за кредитом {reference} збільшено на {amount_minor:money}. Щоб закрити кредит: "
        "{outstanding_minor:money}. Ваш кредит: {link}",
        "Ваш борг збільшено",
        "Ми додали {amount_minor:money} до вашого боргу за кредитом {reference}. Закрити кредит тепер коштує "
        "{outstanding_minor:money}.\n\nВаш кредит з усіма записами: {link}\n\nЯкщо ви вважаєте це помилкою, "
        "зателефонуйте нам.",
    ),
    "debt_reduced": Text(
        "{lender}: ваш борг за кредитом {reference} зменшено на {amount_minor:money}. Щоб закрити кредит: "
        "{outstanding_minor:money}. {link}",
        "Ваш борг зменшено",
        "Ми зменшили ваш борг за кредитом {reference} на {amount_minor:money}. Закрити кредит тепер коштує "
        "{outstanding_minor:money}.\n\nВаш кредит: {link}",
    ),
    "dates_changed": Text(
        "{lender}: платежі за кредитом {reference} змінилися. Наступний: {amount_minor:money} до {due_on:date}. Усі "
        "дати: {link}",
        "Ваші платежі змінилися",
        "Платежі за кредитом {reference} змінилися. Ваш наступний платіж: {amount_minor:money} до "
        "{due_on:date}.\n\nУсі дати й суми: {link}",
    ),
    "date_moved": Text(
        "{lender}: дату платежу за кредитом {reference} перенесено на {due_on:date}. За це до сплати зараз: "
        "{amount_minor:money}. {link}",
        "Дату вашого платежу перенесено",
        "Дату платежу за кредитом {reference} перенесено на {due_on:date}. За це до сплати зараз: "
        "{amount_minor:money}.\n\nСплатити: {link}",
    ),
    "rate_changed": Text(
        "{lender}: з {since:date} за кредитом {reference} діє інша процентна ставка. Наступний платіж: "
        "{amount_minor:money} до {due_on:date}. {link}",
        "Процентна ставка вашого кредиту змінилася",
        "З {since:date} за кредитом {reference} діє інша процентна ставка. Ваш наступний платіж: {amount_minor:money} "
        "до {due_on:date}.\n\nВаш кредит з усіма майбутніми платежами: {link}",
    ),
    "interest_paused": Text(
        "{lender}: з {since:date} за кредитом {reference} проценти не нараховуються, а з {until:date} нараховуються "
        "знову. Наступний платіж: {amount_minor:money} до {due_on:date}. {link}",
        "Певний час без процентів",
        "З {since:date} за кредитом {reference} проценти не нараховуються, а з {until:date} нараховуються знову. Ваш "
        "наступний платіж: {amount_minor:money} до {due_on:date}.\n\nВаш кредит: {link}",
    ),
    "penalties_paused": Text(
        "{lender}: за прострочення за кредитом {reference} поки нічого не нараховуємо. Наступний платіж: "
        "{amount_minor:money} до {due_on:date}. {link}",
        "Поки без пені",
        "За прострочення за кредитом {reference} поки нічого не нараховуємо; перш ніж нараховувати знову, ми вам "
        "напишемо. Ваш наступний платіж: {amount_minor:money} до {due_on:date}.\n\nВаш кредит: {link}",
    ),
    "penalties_resumed": Text(
        "{lender}: за прострочення за кредитом {reference} знову нараховується пеня. До сплати: {amount_minor:money} "
        "до {due_on:date}. {link}",
        "Пеня нараховується знову",
        "Відсьогодні за прострочення за кредитом {reference} знову нараховується пеня, як у договорі. До сплати: "
        "{amount_minor:money} до {due_on:date}.\n\nСплатити або подивитися, що ще можливо: {link}",
    ),
    "contract_ended": Text(
        "{lender}: ми розірвали договір за кредитом {reference}. Увесь ваш борг, {outstanding_minor:money}, до сплати "
        "{due_on:date}. Сплатити або знайти вихід: {link}",
        "Договір вашого кредиту розірвано",
        "Ми розірвали договір за кредитом {reference}. Увесь ваш борг, {outstanding_minor:money}, до сплати "
        "{due_on:date}.\n\nСплатіть або подивіться, що ще можливо: {link}\n\nЯкщо не можете сплатити, зателефонуйте "
        "нам: разом пошукаємо вихід.",
    ),
    "loan_corrected": Text(
        "{lender}: ми виправили запис за кредитом {reference}. Щоб закрити кредит, тепер треба "
        "{outstanding_minor:money}. Ваш кредит: {link}",
        "Запис за вашим кредитом виправлено",
        "Ми виправили запис за кредитом {reference}. Закрити кредит тепер коштує {outstanding_minor:money}.\n\nВаш "
        "кредит з усіма записами та майбутніми платежами: {link}\n\nЯкщо ви вважаєте, що це неправильно, "
        "зателефонуйте нам.",
    ),
    "stepped_back": Text(
        "{lender}: ви відмовилися від кредиту {reference}. Сплатіть {amount_minor:money} до {due_on:date}, і його буде "
        "закрито; раніше — дешевше. {link}",
        "Ви відмовилися від кредиту",
        "Ви відмовилися від кредиту {reference}. Поверніть {amount_minor:money} до {due_on:date}, і його буде закрито: "
        "це отримані гроші з процентами до цього дня, без плат, узятих на початку. Що раніше сплатите, то менше "
        "процентів.\n\nСплатити: {link}",
    ),
    "payment_too_much": Text(
        "{lender}: отримано {amount_minor:money} за кредитом {reference}. {over_minor:money} понад борг: це ваші "
        "гроші, поверніть їх собі тут: {link}",
        "Ви сплатили більше, ніж винні",
        "Ми отримали {amount_minor:money} за кредитом {reference}. За ним ви більше нічого не винні.\n\n"
        "{over_minor:money} понад борг. Це ваші гроші, ми зберігаємо їх для вас; повернути їх на картку можна тут: "
        "{link}",
    ),
    "payment_taken_back": Text(
        "{lender}: ваш банк забрав назад {amount_minor:money}, сплачені за кредитом {reference}. Цю суму знову треба "
        "сплатити. Подробиці: {link}",
        "Ваш банк забрав платіж назад",
        "Ваш банк забрав назад {amount_minor:money}, сплачені за кредитом {reference}, тому цю суму знову треба "
        "сплатити.\n\nЩо і коли сплачувати та що ще можна зробити, видно тут: {link}\n\nЯкщо ви не знаєте причини, "
        "запитайте свій банк; якщо вважаєте, що помилилися ми, зателефонуйте нам.",
    ),
    "refund_sent": Text(
        "{lender}: {amount_minor:money} за кредитом {reference} повернуто на картку, з якої вони надійшли.",
        "Ваші гроші повертаються",
    ),
    "refund_refused": Text(
        "{lender}: банк не прийняв повернення {amount_minor:money} за кредитом {reference}. Гроші й далі ваші: "
        "спробуйте ще раз або зателефонуйте {support_phone}. {link}",
        "Не вдалося повернути ваші гроші",
        "Банк не прийняв повернення {amount_minor:money} за кредитом {reference}. Гроші й далі ваші, ми зберігаємо їх "
        "для вас.\n\nСпробуйте ще раз тут або зателефонуйте нам: {link}",
    ),
    "loan_closed": Text(
        "{lender}: кредит {reference} погашено, ви нічого не винні. Ваша довідка: {link}",
        "Кредит {reference} погашено",
        "Кредит {reference} погашено. Ви нічого не винні. Дякуємо.\n\nДовідка про це, яку може перевірити "
        "будь-хто: {link}",
    ),
    "loan_sold": Text(
        "{lender}: {sold_on:date} борг за кредитом {reference} продано: {buyer}. Відтепер платіть їм: {contact}",
        "Ваш борг продано: {buyer}",
        "{sold_on:date} ми продали борг за кредитом {reference}. Новий кредитор: {buyer}. Тепер ви винні їм рівно "
        "стільки, скільки того дня були винні нам, і платите відтепер їм.\n\nЯк з ними зв’язатися: {contact}\n\nМи "
        "більше нічого від вас не вимагаємо. Те, що ви ще сплатите нам за цим кредитом, ми перешлемо їм. Ваш кабінет: "
        "{link}",
    ),
    "sale_undone": Text(
        "{lender}: продаж боргу за кредитом {reference} скасовано. Ви платите нам, як і раніше: {link}",
        "Ваш кредит знову в нас",
        "Ми повідомляли, що борг за кредитом {reference} продано. Це скасовано: ви платите нам, як і раніше. Сплачене "
        "відтоді зараховано за кредитом.\n\nЩо треба сплатити: {link}",
    ),
    "payment_for_buyer": Text(
        "{lender}: отримано {amount_minor:money} за кредитом {reference}. Борг продано, тож ми пересилаємо гроші: "
        "{buyer}.",
        "Ми отримали ваш платіж і пересилаємо його",
        "Ми отримали {amount_minor:money} за кредитом {reference}. Борг за ним продано, тож ми пересилаємо гроші "
        "новому кредитору: {buyer}. Відтепер платіть, будь ласка, безпосередньо їм.\n\nВаш кабінет: {link}",
    ),
    "payment_before_sale": Text(
        "{lender}: отримано {amount_minor:money} за кредитом {reference}. Настільки менше ви винні тому, хто купив "
        "борг: {buyer}.",
        "Ми отримали ваш платіж",
        "Ми отримали {amount_minor:money} за кредитом {reference}. Це сплачено до продажу боргу, тож настільки менше "
        "ви винні тому, хто його купив: {buyer}. Решту платіть їм.\n\nВаш кабінет: {link}",
    ),
    "bill_ready": Text(
        "{lender}: рахунок за кредитом {reference}: {amount_minor:money} до {due_on:date}. Докладно: {link}",
        "Рахунок за кредитом {reference}",
        "Ваш рахунок за кредитом {reference}: {amount_minor:money} до {due_on:date}.\n\nЗ чого він складається та як "
        "сплатити: {link}",
    ),
    "phone_changed": Text(
        "{lender}: ваш номер телефону {counts_from:moment} зміниться на {phone}. Це не ви? Зупиніть: {link}",
        "Ваш номер телефону скоро зміниться",
        "Ваш номер телефону {counts_from:moment} зміниться на {phone}. До того часу ви входите за попереднім "
        "номером.\n\n"
        "Якщо це не ви, зупиніть зміну тут: {link}\n\nАбо телефонуйте нам: {support_phone}",
    ),
    "phone_counts": Text(
        "{lender}: цей номер телефону тепер належить вашому кабінету. Відтепер ви входите за ним.",
        "Ваш номер телефону змінено",
    ),
    "email_changed": Text(
        "{lender}: електронну адресу вашого кабінету змінено. Якщо це не ви, негайно телефонуйте {support_phone}.",
        "Вашу електронну адресу змінено",
    ),
    "card_changed": Text(
        "{lender}: до вашого кабінету прив’язано картку *{last4}. Гроші на неї можливі з {counts_from:moment}. "
        "Це не ви? Зупиніть: {link}",
        "До вашого кабінету прив’язано картку",
        "До вашого кабінету прив’язано картку *{last4}. Гроші на неї можна надіслати з {counts_from:moment}; попередня "
        "картка працює, як і раніше.\n\nЯкщо це не ви, зупиніть це тут: {link}\n\nАбо телефонуйте нам: {support_phone}",
    ),
    "offer": Text(
        "{lender}: для вас готовий новий кредит на кращих умовах: {link} Щоб не отримувати таких повідомлень, "
        "відмовтеся на тій самій сторінці.",
        "Новий кредит на кращих умовах",
    ),
}
