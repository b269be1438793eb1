"""Vietnamese."""

from usance.apps.messaging.texts import Text

SIGNATURE = "{lender}\n{support_phone} · {support_email}"

# what a lock screen may show to anybody who passes by: no amount, no date, nothing of the loan
PUSH = {
    "reminder": "Bạn sắp có một khoản thanh toán. Mở để xem.",
    "collection": "Vui lòng xem tài khoản của bạn.",
}

TEXTS = {
    "code_sign_in": Text(
        "{code} là mã đăng nhập {lender} của bạn, có hiệu lực {minutes} phút. Không cho ai biết mã này.",
        "Mã đăng nhập của bạn",
    ),
    "code_signing": Text(
        "{code} là mã ký hợp đồng số tiền {amount_minor:money} với {lender}, có hiệu lực {minutes} "
        "phút. Không cho ai biết mã này.",
        "Mã ký hợp đồng",
    ),
    "code_contact": Text(
        "{code} là mã xác nhận liên hệ tại {lender}, có hiệu lực {minutes} phút. Không cho ai biết mã này.",
        "Mã xác nhận địa chỉ của bạn",
    ),
    "code_part": Text(
        "{code} là mã yêu cầu {lender} chuyển thêm {amount_minor:money} của khoản vay vào thẻ {card}, có hiệu lực "
        "{minutes} phút. Không cho ai biết mã này.",
        "Mã yêu cầu nhận thêm một phần khoản vay",
    ),
    "application_received": Text(
        "{lender}: đã nhận hồ sơ {reference} của bạn và đang xem xét.",
        "Đã nhận hồ sơ {reference}",
        "Chúng tôi đã nhận hồ sơ {reference} của bạn và đang xem xét. Bạn có thể đóng trang: chúng tôi sẽ nhắn "
        "ngay khi có quyết định.",
    ),
    "application_declined": Text(
        "{lender}: chúng tôi không thể cho vay theo hồ sơ {reference}. Lý do: {reason}",
        "Quyết định về hồ sơ {reference}",
        "Rất tiếc, chúng tôi không thể cho vay theo hồ sơ {reference} của bạn.\n\nLý do: {reason}\n\nBạn có thể "
        "đề nghị nhân viên xem xét lại: trả lời thư này hoặc gọi cho chúng tôi.",
    ),
    "application_approved": Text(
        "{lender}: hồ sơ {reference} được duyệt {amount_minor:money}. Xem đề nghị và ký: {link}",
        "Hồ sơ {reference} được duyệt",
        "Hồ sơ {reference} của bạn được duyệt {amount_minor:money}.\n\nXem đề nghị và ký tại đây: {link}",
    ),
    "application_asked": Text(
        "{lender}: hồ sơ {reference} cần bổ sung thông tin. Vui lòng xem: {link}",
        "Hồ sơ {reference} cần bổ sung",
        "Để quyết định về hồ sơ {reference}, chúng tôi cần thêm thông tin từ bạn. Xem tại đây: {link}",
    ),
    "money_sent": Text(
        "{lender}: {amount_minor:money} đã vào thẻ {card} của bạn. Khoản vay {reference}, trả trước hoặc vào "
        "ngày {due_on:date}.",
        "Tiền đã được chuyển",
        "Chúng tôi đã chuyển {amount_minor:money} vào thẻ {card} của bạn.\n\nKhoản vay {reference}. Kỳ trả gần "
        "nhất: {due_on:date}.",
    ),
    "payout_failed": Text(
        "{lender}: ngân hàng của bạn không nhận {amount_minor:money} của khoản vay {reference}. Bạn không nợ "
        "khoản này. Vui lòng chọn thẻ: {link}",
        "Không chuyển được tiền",
        "Ngân hàng của bạn không nhận {amount_minor:money} của khoản vay {reference}. Bạn không nợ khoản "
        "này.\n\nVui lòng chọn thẻ khác hoặc thử lại: {link}",
    ),
    "part_not_paid_out": Text(
        "{lender}: {amount_minor:money} của khoản vay {reference} mà bạn yêu cầu không được giải ngân. Lý do và việc "
        "bạn có thể làm: {link}",
        "Phần bạn yêu cầu không được giải ngân",
        "{amount_minor:money} của khoản vay {reference} mà bạn yêu cầu không được giải ngân. Khoản vay của bạn không "
        "có gì thay đổi.\n\nLý do và việc bạn có thể làm: {link}",
    ),
    "payment_received": Text(
        "{lender}: đã nhận {amount_minor:money} cho khoản vay {reference}. Còn phải trả: {outstanding_minor:money}.",
        "Đã nhận khoản thanh toán",
        "Chúng tôi đã nhận {amount_minor:money} cho khoản vay {reference}. Cảm ơn bạn.\n\nCòn phải trả: "
        "{outstanding_minor:money}.",
    ),
    "payment_failed": Text(
        "{lender}: thanh toán {amount_minor:money} cho khoản vay {reference} không thành công. Thử lại: {link}",
        "Thanh toán không thành công",
        "Thanh toán {amount_minor:money} cho khoản vay {reference} không thành công. Bạn không bị trừ tiền cho "
        "lần này.\n\nBạn có thể thử lại tại đây: {link}",
    ),
    "card_debit_announced": Text(
        "{lender}: ngày {debit_on:date} chúng tôi sẽ trích {amount_minor:money} từ thẻ {card} cho khoản vay "
        "{reference}, nếu bạn chưa trả trước đó.",
        "Trích nợ thẻ ngày {debit_on:date}",
        "Theo sự cho phép của bạn, ngày {debit_on:date} chúng tôi sẽ trích {amount_minor:money} từ thẻ {card} "
        "cho khoản vay {reference}, nếu bạn chưa trả trước đó.",
    ),
    "due_in_3_days": Text(
        "{lender}: {amount_minor:money} của khoản vay {reference} đến hạn ngày {due_on:date}. Trả hoặc gia hạn: {link}",
        "Đến hạn trả ngày {due_on:date}",
    ),
    "due_tomorrow": Text(
        "{lender}: nhắc bạn: {amount_minor:money} của khoản vay {reference} đến hạn ngày {due_on:date}. Trả "
        "hoặc gia hạn: {link}",
        "Nhắc: đến hạn trả ngày {due_on:date}",
    ),
    "due_today": Text(
        "{lender}: hôm nay, {due_on:date}, {amount_minor:money} của khoản vay {reference} đến hạn. Trả hoặc gia "
        "hạn: {link}",
        "Hôm nay đến hạn trả",
    ),
    "past_due": Text(
        "{lender}: khoản vay {reference} quá hạn từ {due_on:date}: {amount_minor:money} tính đến {as_of:date}. "
        "Trả hoặc xem cách khác: {link}",
        "Khoản trả đã quá hạn",
        "Khoản vay {reference} quá hạn từ {due_on:date}. Tính đến {as_of:date} là {amount_minor:money}.\n\nTrả "
        "tại đây: {link}\n\nNếu chưa thể trả hết, trang này cũng cho thấy các cách khác và giá của chúng.",
    ),
    "past_due_serious": Text(
        "{lender}: khoản vay {reference} quá hạn từ {due_on:date}: {amount_minor:money} tính đến {as_of:date}. "
        "Vui lòng trả hoặc gọi {support_phone}. {link}",
        "Khoản vay {reference} quá hạn đã lâu",
        "Khoản vay {reference} quá hạn từ {due_on:date}. Tính đến {as_of:date} là {amount_minor:money}.\n\nVui "
        "lòng trả, hoặc gọi cho chúng tôi để cùng tìm cách: {support_phone}\n\n{link}",
    ),
    "extension_made": Text(
        "{lender}: khoản vay {reference} đã được gia hạn. Hạn mới {due_on:date}, số tiền {amount_minor:money}.",
        "Khoản vay đã được gia hạn",
    ),
    "extension_not_made": Text(
        "{lender}: đã nhận {amount_minor:money} cho khoản vay {reference}, nhưng hạn trả không đổi vì khoản vay đã "
        "khác. Số tiền được trừ vào nợ. Còn lại: {outstanding_minor:money}. {link}",
        "Đã nhận thanh toán; hạn trả không đổi",
        "Chúng tôi đã nhận {amount_minor:money} cho khoản vay {reference}. Hạn trả không đổi: khi tiền đến, khoản vay "
        "hoặc giá gia hạn đã khác. Toàn bộ số tiền được trừ vào nợ của bạn.\n\nCòn phải trả: "
        "{outstanding_minor:money}. Xem khoản nào đến hạn khi nào và bạn có thể làm gì: {link}",
    ),
    "extension_undone": Text(
        "{lender}: ngân hàng đã lấy lại {amount_minor:money} trả cho việc gia hạn khoản vay {reference}. Hạn trả trở "
        "lại như trước: {due_on:date}. {link}",
        "Hạn trả trở lại như trước",
    ),
    "charge_added": Text(
        "{lender}: khoản nợ của khoản vay {reference} đã tăng thêm {amount_minor:money}. Để tất toán: "
        "{outstanding_minor:money}. Khoản vay của bạn: {link}",
        "Khoản nợ của bạn đã tăng",
        "Chúng tôi đã cộng {amount_minor:money} vào khoản nợ của khoản vay {reference}. Tất toán khoản vay nay cần "
        "{outstanding_minor:money}.\n\nKhoản vay của bạn với mọi bút toán: {link}\n\nNếu bạn cho rằng có nhầm lẫn, hãy "
        "gọi cho chúng tôi.",
    ),
    "debt_reduced": Text(
        "{lender}: khoản nợ của khoản vay {reference} đã giảm {amount_minor:money}. Để tất toán: "
        "{outstanding_minor:money}. {link}",
        "Khoản nợ của bạn đã giảm",
        "Chúng tôi đã giảm {amount_minor:money} cho khoản nợ của khoản vay {reference}. Tất toán khoản vay nay cần "
        "{outstanding_minor:money}.\n\nKhoản vay của bạn: {link}",
    ),
    "dates_changed": Text(
        "{lender}: các kỳ trả của khoản vay {reference} đã đổi. Kỳ tới: {amount_minor:money}, chậm nhất ngày "
        "{due_on:date}. Tất cả các kỳ: {link}",
        "Các kỳ trả của bạn đã đổi",
        "Các kỳ trả của khoản vay {reference} đã đổi. Kỳ trả tới của bạn: {amount_minor:money}, chậm nhất ngày "
        "{due_on:date}.\n\nTất cả các ngày trả và số tiền: {link}",
    ),
    "date_moved": Text(
        "{lender}: ngày đến hạn của khoản vay {reference} dời sang {due_on:date}. Số tiền phải trả ngay cho việc này: "
        "{amount_minor:money}. {link}",
        "Ngày đến hạn của bạn đã dời",
        "Ngày đến hạn của khoản vay {reference} dời sang {due_on:date}. Số tiền phải trả ngay cho việc này: "
        "{amount_minor:money}.\n\nTrả tại đây: {link}",
    ),
    "rate_changed": Text(
        "{lender}: từ {since:date} khoản vay {reference} áp dụng lãi suất mới. Kỳ trả tới: {amount_minor:money}, chậm "
        "nhất ngày {due_on:date}. {link}",
        "Lãi suất khoản vay của bạn đã đổi",
        "Từ {since:date} khoản vay {reference} áp dụng lãi suất mới. Kỳ trả tới của bạn: {amount_minor:money}, chậm "
        "nhất ngày {due_on:date}.\n\nKhoản vay của bạn với mọi kỳ trả sắp tới: {link}",
    ),
    "interest_paused": Text(
        "{lender}: từ {since:date} khoản vay {reference} không tính lãi, từ {until:date} tính lãi lại. Kỳ trả tới: "
        "{amount_minor:money}, chậm nhất ngày {due_on:date}. {link}",
        "Tạm thời không tính lãi",
        "Từ {since:date} khoản vay {reference} không tính lãi, từ {until:date} tính lãi lại. Kỳ trả tới của bạn: "
        "{amount_minor:money}, chậm nhất ngày {due_on:date}.\n\nKhoản vay của bạn: {link}",
    ),
    "penalties_paused": Text(
        "{lender}: khoản vay {reference} tạm thời không tính tiền phạt khi trả chậm. Kỳ trả tới: {amount_minor:money}, "
        "chậm nhất ngày {due_on:date}. {link}",
        "Tạm thời không tính tiền phạt",
        "Khoản vay {reference} tạm thời không tính tiền phạt khi trả chậm; chúng tôi sẽ báo trước khi tính lại. Kỳ trả "
        "tới của bạn: {amount_minor:money}, chậm nhất ngày {due_on:date}.\n\nKhoản vay của bạn: {link}",
    ),
    "penalties_resumed": Text(
        "{lender}: khoản vay {reference} lại tính tiền phạt khi trả chậm. Phải trả: {amount_minor:money}, chậm nhất "
        "ngày {due_on:date}. {link}",
        "Tiền phạt được tính lại",
        "Từ hôm nay khoản vay {reference} lại tính tiền phạt khi trả chậm, theo hợp đồng. Phải trả: "
        "{amount_minor:money}, chậm nhất ngày {due_on:date}.\n\nTrả hoặc xem cách khác: {link}",
    ),
    "contract_ended": Text(
        "{lender}: chúng tôi đã chấm dứt hợp đồng của khoản vay {reference}. Toàn bộ số nợ {outstanding_minor:money} "
        "đến hạn ngày {due_on:date}. Trả hoặc xem cách khác: {link}",
        "Hợp đồng vay của bạn đã chấm dứt",
        "Chúng tôi đã chấm dứt hợp đồng của khoản vay {reference}. Toàn bộ số bạn nợ, {outstanding_minor:money}, đến "
        "hạn ngày {due_on:date}.\n\nHãy trả hoặc xem còn cách nào khác: {link}\n\nNếu không trả được, hãy gọi cho "
        "chúng tôi để cùng tìm cách.",
    ),
    "loan_corrected": Text(
        "{lender}: chúng tôi đã điều chỉnh một bút toán của khoản vay {reference}. Để tất toán nay cần "
        "{outstanding_minor:money}. Khoản vay của bạn: {link}",
        "Một bút toán của khoản vay đã được điều chỉnh",
        "Chúng tôi đã điều chỉnh một bút toán của khoản vay {reference}. Tất toán khoản vay nay cần "
        "{outstanding_minor:money}.\n\nKhoản vay của bạn với mọi bút toán và kỳ trả sắp tới: {link}\n\nNếu bạn cho "
        "rằng chưa đúng, hãy gọi cho chúng tôi.",
    ),
    "stepped_back": Text(
        "{lender}: bạn đã rút khỏi khoản vay {reference}. Trả {amount_minor:money} trước hết ngày {due_on:date} là "
        "xong; trả sớm hơn thì đỡ lãi. {link}",
        "Bạn đã rút khỏi khoản vay",
        "Bạn đã rút khỏi khoản vay {reference}. Hãy trả lại {amount_minor:money} trước hết ngày {due_on:date} và khoản "
        "vay sẽ đóng: đó là số tiền đã nhận cùng lãi đến ngày đó, không có phí ban đầu. Trả sớm hơn thì lãi ít "
        "hơn.\n\nTrả tại: {link}",
    ),
    "payment_too_much": Text(
        "{lender}: đã nhận {amount_minor:money} cho khoản vay {reference}. {over_minor:money} nhiều hơn số nợ: đó là "
        "tiền của bạn, yêu cầu trả lại tại: {link}",
        "Bạn đã trả nhiều hơn số nợ",
        "Chúng tôi đã nhận {amount_minor:money} cho khoản vay {reference}. Bạn không còn nợ khoản này.\n\n"
        "{over_minor:money} nhiều hơn số nợ. Đó là tiền của bạn, chúng tôi giữ cho bạn; yêu cầu trả lại về thẻ tại "
        "đây: {link}",
    ),
    "payment_taken_back": Text(
        "{lender}: ngân hàng của bạn đã lấy lại {amount_minor:money} đã trả cho khoản vay {reference}. Bạn lại nợ số "
        "tiền này. Xem tại: {link}",
        "Ngân hàng đã lấy lại một khoản thanh toán",
        "Ngân hàng của bạn đã lấy lại {amount_minor:money} đã trả cho khoản vay {reference}, nên bạn lại nợ số tiền "
        "này.\n\nXem khoản nào đến hạn, trả tiền hoặc xem cách khác tại đây: {link}\n\nNếu bạn không biết lý do, "
        "hãy hỏi ngân hàng; nếu bạn nghĩ chúng tôi nhầm, hãy gọi cho chúng tôi.",
    ),
    "refund_sent": Text(
        "{lender}: {amount_minor:money} của khoản vay {reference} đã được trả lại về thẻ mà tiền đã đến từ đó.",
        "Tiền của bạn đang được trả lại",
    ),
    "refund_refused": Text(
        "{lender}: ngân hàng không nhận lại {amount_minor:money} của khoản vay {reference}. Tiền vẫn là của bạn: thử "
        "lại hoặc gọi {support_phone}. {link}",
        "Không trả lại được tiền của bạn",
        "Ngân hàng không nhận lại {amount_minor:money} của khoản vay {reference}. Tiền vẫn là của bạn, chúng tôi giữ "
        "cho bạn.\n\nThử lại tại đây, hoặc gọi cho chúng tôi: {link}",
    ),
    "loan_closed": Text(
        "{lender}: khoản vay {reference} đã trả xong, bạn không còn nợ. Giấy xác nhận: {link}",
        "Khoản vay {reference} đã trả xong",
        "Khoản vay {reference} đã trả xong. Bạn không còn nợ. Cảm ơn bạn.\n\nGiấy xác nhận mà ai cũng có thể "
        "kiểm tra: {link}",
    ),
    "loan_sold": Text(
        "{lender}: ngày {sold_on:date} khoản nợ của khoản vay {reference} đã bán cho {buyer}. Từ nay hãy trả cho họ: "
        "{contact}",
        "Khoản nợ của bạn đã bán cho {buyer}",
        "Ngày {sold_on:date} chúng tôi đã bán khoản nợ của khoản vay {reference} cho {buyer}. Nay bạn nợ họ đúng bằng "
        "số đã nợ chúng tôi vào ngày đó, và từ nay trả cho họ.\n\nLiên hệ với họ: {contact}\n\nChúng tôi không đòi bạn "
        "khoản nào nữa. Số tiền bạn còn trả cho chúng tôi vì khoản vay này sẽ được chuyển cho họ. Tài khoản của bạn: "
        "{link}",
    ),
    "sale_undone": Text(
        "{lender}: việc bán khoản nợ của khoản vay {reference} đã hủy. Bạn trả cho chúng tôi như trước: {link}",
        "Khoản vay của bạn lại ở chỗ chúng tôi",
        "Chúng tôi đã báo rằng khoản nợ của khoản vay {reference} đã bán. Việc đó đã hủy: bạn trả cho chúng tôi như "
        "trước. Số tiền bạn đã trả từ đó được tính cho khoản vay.\n\nSố phải trả: {link}",
    ),
    "payment_for_buyer": Text(
        "{lender}: đã nhận {amount_minor:money} cho khoản vay {reference}. Khoản nợ đã bán: chúng tôi chuyển tiền cho "
        "{buyer}.",
        "Chúng tôi đã nhận tiền của bạn và chuyển tiếp",
        "Chúng tôi đã nhận {amount_minor:money} cho khoản vay {reference}. Khoản nợ này đã bán cho {buyer}, nên chúng "
        "tôi chuyển tiền cho họ. Từ nay xin trả thẳng cho họ.\n\nTài khoản của bạn: {link}",
    ),
    "payment_before_sale": Text(
        "{lender}: đã nhận {amount_minor:money} cho khoản vay {reference}. Bạn nợ {buyer}, bên mua khoản nợ, ít đi "
        "chừng ấy.",
        "Đã nhận khoản thanh toán",
        "Chúng tôi đã nhận {amount_minor:money} cho khoản vay {reference}. Khoản này trả trước khi bán nợ, nên bạn nợ "
        "{buyer}, bên mua khoản nợ, ít đi chừng ấy. Phần còn lại xin trả cho họ.\n\nTài khoản của bạn: {link}",
    ),
    "bill_ready": Text(
        "{lender}: thông báo thanh toán khoản vay {reference}: {amount_minor:money} trước {due_on:date}. Xem: {link}",
        "Thông báo thanh toán khoản vay {reference}",
        "Thông báo thanh toán khoản vay {reference}: {amount_minor:money} trước ngày {due_on:date}.\n\nGồm những gì và "
        "cách trả: {link}",
    ),
    "phone_changed": Text(
        "{lender}: số điện thoại của bạn sẽ đổi thành {phone} lúc {counts_from:moment}. Không phải bạn? Dừng lại: "
        "{link}",
        "Số điện thoại của bạn sắp đổi",
        "Số điện thoại của bạn sẽ đổi thành {phone} lúc {counts_from:moment}. Cho đến lúc đó bạn đăng nhập bằng số "
        "cũ.\n\n"
        "Nếu không phải bạn, hãy dừng lại tại đây: {link}\n\nHoặc gọi cho chúng tôi: {support_phone}",
    ),
    "phone_counts": Text(
        "{lender}: số điện thoại này nay thuộc tài khoản của bạn. Từ bây giờ bạn đăng nhập bằng số này.",
        "Số điện thoại của bạn đã đổi",
    ),
    "email_changed": Text(
        "{lender}: địa chỉ e-mail tài khoản của bạn đã đổi. Nếu không phải bạn, gọi ngay {support_phone}.",
        "Địa chỉ e-mail của bạn đã đổi",
    ),
    "card_changed": Text(
        "{lender}: thẻ *{last4} đã được liên kết với tài khoản của bạn. Thẻ nhận được tiền từ {counts_from:moment}. "
        "Không phải bạn? Dừng lại: {link}",
        "Thẻ đã được liên kết với tài khoản",
        "Thẻ *{last4} đã được liên kết với tài khoản của bạn. Thẻ nhận được tiền từ {counts_from:moment}; thẻ cũ vẫn "
        "dùng như trước.\n\nNếu không phải bạn, hãy dừng lại tại đây: {link}\n\n"
        "Hoặc gọi cho chúng tôi: {support_phone}",
    ),
    "offer": Text(
        "{lender}: có khoản vay mới với điều kiện tốt hơn cho bạn: {link} Muốn ngừng nhận tin, hãy chọn trên trang đó.",
        "Khoản vay mới, điều kiện tốt hơn",
    ),
}
