import type { Random } from "./random.ts";

/** Words of a few scripts. Those of `printable` have glyphs in the embedded font. */
const words = {
  latin:
    "agreement audit board breach Bürgschaft carrier clause contract court delivery deposit Größe invoice ledger meeting naïve notice payment pension pour reçu schedule shipment statement tenant Überweisung vendor warranty".split(
      " ",
    ),
  greek: "σύμβαση τιμολόγιο πληρωμή έλεγχος δικαστήριο παράδοση επιστολή συνάντηση απόδειξη εγγύηση".split(" "),
  cyrillic: "договор счёт оплата проверка суд поставка письмо встреча расписка гарантия отчёт склад".split(" "),
  hebrew: "חוזה חשבונית תשלום ביקורת בית משפט משלוח מכתב פגישה".split(" "),
  arabic: "عقد فاتورة دفع تدقيق محكمة تسليم رسالة اجتماع".split(" "),
  cjk: "契約書 請求書 支払い 監査 裁判所 合同 发票 付款 会议 법원 계약 회의".split(" "),
} as const;
export type Script = keyof typeof words;

export const printable = ["latin", "greek", "cyrillic"] as const satisfies readonly Script[];
export const scripts = Object.keys(words) as Script[];

/** A sentence of so many words; not sense, but text that can be searched. */
export function sentence(random: Random, script: Script, length = random.int(6, 12)): string {
  const chosen = Array.from({ length }, () => random.pick(words[script]));
  return `${chosen.join(" ")}.`;
}

export function paragraph(random: Random, script: Script, sentences = random.int(3, 6)): string {
  return Array.from({ length: sentences }, () => sentence(random, script)).join(" ");
}
