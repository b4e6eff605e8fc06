# Ruby's mail gem.
require "json"
require "mail"

def text(part)
  if part.multipart?
    part.parts.each { |p| t = text(p); return t if t }
    return nil
  end
  type = part.mime_type || "text/plain"
  return text(Mail.new(part.body.decoded)) if type == "message/rfc822"
  type.start_with?("text/") ? part.body.decoded : nil
end

def latin1(s)
  s && s.dup.force_encoding("BINARY").encode("UTF-8", "ISO-8859-1")
end

STDIN.binmode
while (line = STDIN.gets)
  raw = STDIN.read(line.to_i)
  begin
    mail = Mail.new(raw)
    from = mail.header.fields.select { |f| f.name.casecmp?("from") }.flat_map do |f|
      f.field.respond_to?(:addresses) ? f.field.addresses : []
    end
    out = { text: latin1(text(mail)), from: from.map { |a| latin1(a.to_s) } }
  rescue StandardError => e
    out = { text: nil, from: [], error: e.class.name }
  end
  puts JSON.generate(out)
end
