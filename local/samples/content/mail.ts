export interface Address {
  name: string;
  address: string;
}

export interface MailContent {
  from: Address;
  to: readonly Address[];
  subject: string;
  date: Date;
  text: string;
  attachments: readonly { fileName: string; mimeType: string; content: Buffer }[];
}

/** An e-mail as it lies in a mailbox (RFC 5322 with MIME parts). */
export function makeMail(mail: MailContent): Buffer {
  const boundary = `=_${mail.date.getTime().toString(36)}_${mail.attachments.length}`;
  const part = (headers: string[], content: Buffer) =>
    [`--${boundary}`, ...headers, "Content-Transfer-Encoding: base64", "", base64Lines(content)].join("\r\n");
  const lines = [
    `From: ${address(mail.from)}`,
    `To: ${mail.to.map(address).join(", ")}`,
    `Subject: ${encoded(mail.subject)}`,
    `Date: ${mail.date.toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${boundary.slice(2)}@example.com>`,
    "MIME-Version: 1.0",
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    "",
    part(["Content-Type: text/plain; charset=utf-8"], Buffer.from(mail.text)),
    ...mail.attachments.map(({ fileName, mimeType, content }) =>
      part(
        [
          `Content-Type: ${mimeType}`,
          `Content-Disposition: attachment; filename*=utf-8''${encodeURIComponent(fileName)}`,
        ],
        content,
      ),
    ),
    `--${boundary}--`,
    "",
  ];
  return Buffer.from(lines.join("\r\n"));
}

const address = ({ name, address }: Address) => `${encoded(name)} <${address}>`;

/** A header's text in encoded words where it is not plain ASCII (RFC 2047: each at most 75 characters). */
function encoded(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const chunks: string[] = [];
  for (const character of text) {
    const last = chunks.at(-1);
    if (last !== undefined && Buffer.byteLength(last + character) <= 42) chunks[chunks.length - 1] = last + character;
    else chunks.push(character);
  }
  return chunks.map((chunk) => `=?utf-8?B?${Buffer.from(chunk).toString("base64")}?=`).join("\r\n ");
}

function base64Lines(content: Buffer): string {
  return (content.toString("base64").match(/.{1,76}/g) ?? []).join("\r\n");
}
