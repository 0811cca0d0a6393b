import type { MethodEntry } from '../experiment/catalog'

export interface GridColumn {
  readonly id: string
  readonly label: string
}

export interface GridRow {
  readonly id: string
  readonly label: string
  /** One per column: the method of that pair first, then what stands there under a name of its own. */
  readonly cells: readonly (readonly MethodEntry[])[]
}

/** The catalog as a table: transforms down, mitigations across, both in menu order. */
export function methodGrid(methods: readonly MethodEntry[]): {
  readonly columns: readonly GridColumn[]
  readonly rows: readonly GridRow[]
} {
  const columns = [...new Map(methods.map(({ column, columnLabel }) => [column, columnLabel]))].map(([id, label]) => ({
    id,
    label,
  }))
  const rows = [...new Map(methods.map(({ row, rowLabel }) => [row, rowLabel]))].map(([id, label]) => ({
    id,
    label,
    cells: columns.map((column) => methods.filter((method) => method.row === id && method.column === column.id)),
  }))
  return { columns, rows }
}
