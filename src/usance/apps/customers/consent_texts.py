"""The wordings of consents and mandates that an institution begins with: purpose -> (title, body), by language.

They are plain and short so that they are read. A lawyer of the institution replaces them by adding version 2.
"""

from __future__ import annotations

Texts = dict[str, tuple[str, str]]

EN: Texts = {
    "personal_data": (
        "Processing of my personal data",
        "I agree that the lender processes the personal data that I give in order to consider my application, "
        "to make and carry out the agreement, and to meet its duties under the law. The data is kept encrypted "
        "and is given to others only where the law or this agreement says so. I may ask what is kept, have it "
        "corrected, and withdraw this consent; what the law requires to be kept stays until its time is over.",
    ),
    "credit_check": (
        "Check of my credit history",
        "I agree that the lender asks credit bureaus for my credit history, for the purpose of scoring this "
        "application, and reports to them how I repay.",
    ),
    "automated_decision": (
        "Automated decision",
        "I agree that my application may be decided by a computer according to the lender's rules. I may ask "
        "for the reasons of a refusal and for a person to look at it again.",
    ),
    "electronic_signature": (
        "Signing by one-time code",
        "I agree to sign documents with a one-time code that is sent to my phone. A document that I sign this "
        "way binds me as one signed by hand.",
    ),
    "card_debit": (
        "Debit of my card",
        "I allow the lender to debit the card that I have linked with amounts that are due or past due under my "
        "agreement, no more than I owe on that day. I am told before each debit. I may withdraw this permission "
        "at any time; my duty to repay remains.",
    ),
    "marketing": (
        "Offers by SMS and e-mail",
        "I would like to receive offers of the lender by SMS and e-mail. I may withdraw this at any time.",
    ),
    "push_reminders": (
        "Reminders on this device",
        "I would like the lender to remind me of payments by notifications on this device, instead of by SMS and "
        "e-mail. The lender keeps, encrypted, the address that my browser makes for this, and hands the notifications, "
        "encrypted, to the maker of the browser for delivery. They name no amounts. When one cannot be shown, I am "
        "reminded by SMS and e-mail as before. I may withdraw this at any time.",
    ),
}

UK: Texts = {
    "personal_data": (
        "Обробка моїх персональних даних",
        "Я даю згоду на обробку наданих мною персональних даних для розгляду заявки, укладення й виконання "
        "договору та виконання кредитодавцем вимог закону. Дані зберігаються в зашифрованому вигляді й "
        "передаються іншим лише у випадках, передбачених законом або договором. Я можу дізнатися, які дані "
        "зберігаються, виправити їх і відкликати цю згоду; те, що закон вимагає зберігати, залишається до кінця "
        "встановленого строку.",
    ),
    "credit_check": (
        "Перевірка кредитної історії",
        "Я даю згоду на запит моєї кредитної історії в бюро кредитних історій для оцінки цієї заявки та на "
        "передачу до бюро відомостей про виконання договору.",
    ),
    "automated_decision": (
        "Автоматичне рішення",
        "Я погоджуюся, що рішення за моєю заявкою може бути прийняте автоматично за правилами кредитодавця. Я "
        "можу дізнатися причини відмови та попросити, щоб заявку розглянула людина.",
    ),
    "electronic_signature": (
        "Підписання одноразовим кодом",
        "Я погоджуюся підписувати документи одноразовим кодом, який надходить на мій телефон. Документ, "
        "підписаний у такий спосіб, має для мене таку саму силу, як підписаний власноруч.",
    ),
    "card_debit": (
        "Списання з моєї картки",
        "Я дозволяю кредитодавцю списувати з прив’язаної картки суми, строк сплати яких настав або минув за "
        "моїм договором, не більше за борг на цей день. Про кожне списання мене попереджають. Я можу відкликати "
        "цей дозвіл будь-коли; обов’язок повернути кредит залишається.",
    ),
    "marketing": (
        "Пропозиції в SMS та електронною поштою",
        "Я хочу отримувати пропозиції кредитодавця в SMS та електронною поштою. Я можу відмовитися будь-коли.",
    ),
    "push_reminders": (
        "Нагадування на цьому пристрої",
        "Я хочу, щоб кредитодавець нагадував мені про платежі сповіщеннями на цьому пристрої замість SMS та "
        "електронної пошти. Кредитодавець зберігає в зашифрованому вигляді адресу, яку для цього створює мій браузер, "
        "і передає сповіщення в зашифрованому вигляді виробнику браузера для доставки. Сум у них немає. Якщо "
        "сповіщення не вдалося показати, мені нагадують у SMS та електронною поштою, як раніше. Я можу відмовитися "
        "будь-коли.",
    ),
}

VI: Texts = {
    "personal_data": (
        "Xử lý dữ liệu cá nhân của tôi",
        "Tôi đồng ý cho bên cho vay xử lý dữ liệu cá nhân mà tôi cung cấp để xem xét hồ sơ, ký kết và thực hiện "
        "hợp đồng, và thực hiện nghĩa vụ theo pháp luật. Dữ liệu được lưu giữ dưới dạng mã hóa và chỉ được "
        "chuyển cho bên khác khi pháp luật hoặc hợp đồng quy định. Tôi có quyền biết dữ liệu nào được lưu, yêu "
        "cầu chỉnh sửa và rút lại sự đồng ý này; dữ liệu mà pháp luật yêu cầu lưu giữ sẽ được giữ đến hết thời "
        "hạn.",
    ),
    "credit_check": (
        "Kiểm tra lịch sử tín dụng",
        "Tôi đồng ý cho bên cho vay hỏi thông tin tín dụng của tôi tại các tổ chức thông tin tín dụng nhằm chấm "
        "điểm hồ sơ này, và cung cấp cho các tổ chức đó thông tin về việc trả nợ của tôi.",
    ),
    "automated_decision": (
        "Quyết định tự động",
        "Tôi đồng ý rằng hồ sơ của tôi có thể được máy tính quyết định theo quy tắc của bên cho vay. Tôi có "
        "quyền hỏi lý do từ chối và đề nghị nhân viên xem xét lại.",
    ),
    "electronic_signature": (
        "Ký bằng mã một lần",
        "Tôi đồng ý ký tài liệu bằng mã một lần được gửi đến điện thoại của tôi. Tài liệu ký theo cách này ràng "
        "buộc tôi như tài liệu ký tay.",
    ),
    "card_debit": (
        "Trích nợ thẻ của tôi",
        "Tôi cho phép bên cho vay trích từ thẻ mà tôi đã liên kết các khoản đến hạn hoặc quá hạn theo hợp đồng "
        "của tôi, không vượt quá số tiền tôi nợ vào ngày đó. Tôi được báo trước mỗi lần trích. Tôi có thể rút "
        "lại sự cho phép này bất cứ lúc nào; nghĩa vụ trả nợ của tôi vẫn còn.",
    ),
    "marketing": (
        "Nhận ưu đãi qua SMS và e-mail",
        "Tôi muốn nhận ưu đãi của bên cho vay qua SMS và e-mail. Tôi có thể từ chối bất cứ lúc nào.",
    ),
    "push_reminders": (
        "Nhắc nhở trên thiết bị này",
        "Tôi muốn bên cho vay nhắc tôi về các khoản thanh toán bằng thông báo trên thiết bị này thay cho SMS và "
        "e-mail. Bên cho vay lưu giữ dưới dạng mã hóa địa chỉ mà trình duyệt của tôi tạo ra cho việc này, và chuyển "
        "thông báo đã mã hóa cho nhà sản xuất trình duyệt để gửi đi. Thông báo không nêu số tiền. Khi không hiển thị "
        "được thông báo, tôi được nhắc qua SMS và e-mail như trước. Tôi có thể từ chối bất cứ lúc nào.",
    ),
}

TEXTS: dict[str, Texts] = {"en": EN, "uk": UK, "vi": VI}
