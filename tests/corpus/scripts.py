"""What people write, in many scripts."""

# ruff: noqa: RUF001 - letters that look like others are the point

from __future__ import annotations

TEXTS = {
    "Arabic": "تم إلغاء الطلب رقم ١٢٣ لأن المخزون نفد",
    "Hebrew": "ההזמנה בוטלה — אין מלאי",
    "Persian, with joiners": "سفارش می‌رود به انبار",
    "Urdu": "آرڈر منسوخ کر دیا گیا",
    "Thai": "คำสั่งซื้อถูกยกเลิกเพราะสินค้าหมด",
    "Devanagari": "ऑर्डर रद्द कर दिया गया क्योंकि स्टॉक समाप्त हो गया",
    "Tamil": "ஆர்டர் ரத்து செய்யப்பட்டது",
    "Bengali": "অর্ডার বাতিল করা হয়েছে",
    "Chinese": "訂單已取消:庫存不足,請稍後再試。",
    "Chinese beyond the basic plane": "𠮷野家の牛丼と𡈽屋、𩸽の塩焼き",
    "Japanese": "ご注文はキャンセルされました。在庫切れです",
    "Japanese, half width": "ｺﾞﾁｭｳﾓﾝﾊ ｷｬﾝｾﾙ ｻﾚﾏｼﾀ",
    "Korean": "재고가 없어 주문이 취소되었습니다",
    "Korean, decomposed": "재고가 없어",
    "Georgian": "შეკვეთა გაუქმდა, მარაგი ამოიწურა",
    "Armenian": "Պատվերը չեղարկվել է",
    "Greek": "Η παραγγελία ακυρώθηκε· δεν υπάρχει απόθεμα",
    "Russian": "Заказ отменён: товара нет на складе",
    "Amharic": "ትዕዛዙ ተሰርዟል",
    "Khmer": "ការបញ្ជាទិញត្រូវបានលុបចោល",
    "Burmese": "အော်ဒါ ပယ်ဖျက်လိုက်ပါပြီ",
    "Tibetan": "མངགས་ཉོ་ཕྱིར་འཐེན་བྱས་ཟིན།",
    "Cherokee": "ᎤᏃᎯᏳᎯ ᎠᏓᏅᏖᏍᎬ",
    "Vietnamese": "Đơn hàng đã bị huỷ vì hết hàng",
    "Czech, combining marks": "Příliš žluťoučký kůň",
    "Stacked marks": "Z̸̢̛̗a̷̡l̵̨g̶̢o̴̧ w̷͝a̶͠s̸̈́ h̴̓e̵̽r̶̾e",
    "Gothic": "𐌼𐌰𐌲 𐌲𐌻𐌴𐍃 𐌹̈𐍄𐌰𐌽",
    "Mathematical": "𝓞𝓻𝓭𝓮𝓻 𝟙𝟚𝟛 ∑∞ ≠ ∅ ⟨ψ|φ⟩",
    "Emoji": "order 🛒 paid 💶 shipped 🚚 🎉",
    "Emoji with joiners": "👨‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍🚀 ❤️‍🔥",
    "Flags and keycaps": "🇩🇪🇯🇵🏴󠁧󠁢󠁳󠁣󠁴󠁿 1️⃣ #️⃣",
    "Marks of direction": "\u200fשלום\u200e (abc) \u202bעולם\u202c \u2067xyz\u2069",
    "Spaces": "a\u00a0b\u2009c\u3000d\u200be\u2060f",
    "Quotes": "„Größe“ «taille» ‘it’s’ “so” ‹ja›",
    "Ends of lines": "first\nsecond\r\nthird\tcolumn",
    "Terminal colours": "\x1b[31mERROR\x1b[0m the build \x1b[1;33mfailed\x1b[0m",
    "Progress": "10%\r 50%\r100% done",
    "No normal form": "\u212b \u00c5 A\u030a \ufb01 fi",
    "Private use": "\ue000 \uf8ff",
    "Broken by a wrong encoding": "GrÃ¶ÃŸe Ã¤ndern â‚¬",
    "SQL": "SELECT * FROM \"orders\" WHERE note LIKE '%50\\%%' -- ;",
    "Markup": '<td class="a">&nbsp;<!-- ]]> --></td>',
    "Path": "C:\\Users\\Jürgen\\AppData\\Local\\Temp\\~$x.docx",
}  # fmt: skip
"""Texts by what they are."""

ALL = list(TEXTS.values())


def text(number: int) -> str:
    """Returns one of the texts."""
    return ALL[number % len(ALL)]
