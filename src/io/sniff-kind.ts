import { grouped } from './number-text'

/** Bytes from the start of a file that sniffKind looks at. */
export const SNIFF_BYTES = 256

/**
 * Says what a file that is not safetensors seems to be, from its first bytes, with what to do about it; null when
 * they tell nothing. Continues the sentence that begins with the file's name.
 *
 * Sources: PKWARE APPNOTE 4.3.7 (zip), the protocol opcode of Python pickles, RFC 1952 (gzip), the GGUF and Git LFS
 * pointer specifications, field 1 (ir_version) of onnx.proto's ModelProto.
 */
export function sniffKind(head: Uint8Array, fileBytes: number): string | null {
  const text = String.fromCharCode(...head.subarray(0, SNIFF_BYTES))
  if (text.startsWith('PK\x03\x04')) return zipKind(head, text)
  if (text.startsWith('GGUF')) return 'is a GGUF file. Use the safetensors files the GGUF was converted from.'
  if (text.startsWith('version https://git-lfs')) {
    return `is a Git LFS pointer (${grouped(fileBytes)} bytes), not the weights. Run git lfs pull.`
  }
  if (text.startsWith('\x89HDF\r\n\x1a\n')) return 'is an HDF5 file. Convert it to safetensors first.'
  if (text.startsWith('\x1f\x8b\x08')) return 'is compressed with gzip. Unpack it with gunzip first.'
  if (isPickle(head)) {
    return 'is a Python pickle, probably an old PyTorch checkpoint. Convert it with safetensors.torch.save_file.'
  }
  if (isOnnx(head)) return 'is an ONNX/protobuf file. Export the weights with safetensors.numpy.save_file instead.'
  return textKind(text)
}

function zipKind(head: Uint8Array, text: string): string {
  // Local file header: the length of the first name at 26, the name itself at 30.
  const nameLength = (head[26] ?? 0) | ((head[27] ?? 0) << 8)
  const first = text.slice(30, 30 + nameLength)
  if (first.endsWith('.npy')) {
    return 'is a NumPy archive (.npz, zip at byte 0). Convert it with safetensors.numpy.save_file.'
  }
  if (first !== '' && !first.endsWith('data.pkl') && !/\/(\.format_version|version|data\/\d+|byteorder)$/.test(first)) {
    return 'is a zip archive. Unpack it and open the .safetensors file inside.'
  }
  return 'is a PyTorch checkpoint (zip at byte 0). Convert it with safetensors.torch.save_file.'
}

/** Opcode PROTO with protocol 2 to 5, then an opcode that begins a number, list, dict, frame, tuple or global. */
function isPickle(head: Uint8Array): boolean {
  const next = String.fromCharCode(head[2] ?? 0)
  return head[0] === 0x80 && head[1] >= 2 && head[1] <= 5 && '\x8a\x95]}(c'.includes(next)
}

/** Field 1 as a small varint, then producer_name (field 2) or the graph (field 7) with its length. */
function isOnnx(head: Uint8Array): boolean {
  return head[0] === 0x08 && head[1] > 0 && head[1] < 0x20 && (head[2] === 0x12 || head[2] === 0x3a)
}

function textKind(text: string): string | null {
  if (/^(\xef\xbb\xbf)?\s*<(!doctype|html|head|\?xml|!--)/i.test(text)) {
    return 'is an HTML page, probably a saved download page. Download the file itself.'
  }
  if (/^(\xef\xbb\xbf)?\{\s*"/.test(text)) {
    return 'is a JSON file, not the weights, and no index of a sharded model: it has no weight_map.'
  }
  return null
}
