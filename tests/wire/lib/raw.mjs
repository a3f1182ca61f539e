// raw.mjs - WebSocket frames by hand, right and wrong ones.
import { Buffer } from 'node:buffer';

const mask = Buffer.from([0x11, 0x22, 0x33, 0x44]);

// A client's frame. `announce` lies about the length, `unmasked` leaves out what
// every client must do, `rsv` sets reserved bits.
export function frame(payload, { fin = true, opcode = 1, rsv = 0, unmasked = false, announce } = {}) {
    const data = Buffer.isBuffer(payload) ? payload : Buffer.from(payload, 'utf8');
    const size = announce ?? data.length;
    const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
    const flag = unmasked ? 0 : 0x80;
    let head;
    if (size < 126) head = Buffer.from([first, flag | size]);
    else if (size < 65536) head = Buffer.from([first, flag | 126, size >> 8, size & 255]);
    else {
        head = Buffer.alloc(10);
        head[0] = first;
        head[1] = flag | 127;
        head.writeBigUInt64BE(BigInt(size), 2);
    }
    if (unmasked) return Buffer.concat([head, data]);
    const hidden = Buffer.from(data.map((byte, i) => byte ^ mask[i % 4]));
    return Buffer.concat([head, mask, hidden]);
}

export const handshake = (path = '/gun', more = '') =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`;
